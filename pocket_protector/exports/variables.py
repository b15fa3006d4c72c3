"""Convert a domain's values to the environment of a program (`pprotect run`, `pprotect exec`) or shell assignments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from pocket_protector.errors import StoreError

# The longest `NAME=value` of Linux: MAX_ARG_STRLEN without the final zero byte.
_MOST_BYTES = 128 * 1024 - 1

_BASIC = ("PATH", "HOME", "TERM", "LANG", "USER", "SHELL", "LOGNAME")

# Variables that change which code a program runs. Anybody who can write the file could set one by a secret's name.
_RESERVED = frozenset(
    """
    PATH IFS ENV BASH_ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND CDPATH ZDOTDIR FPATH HOME SHELL EDITOR VISUAL PAGER
    BROWSER LESSOPEN LESSCLOSE MANPAGER SSH_ASKPASS SUDO_ASKPASS NODE_OPTIONS NODE_PATH PERL5OPT PERL5LIB PERL5DB
    PERLLIB RUBYOPT RUBYLIB CLASSPATH JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS MAVEN_OPTS GRADLE_OPTS
    DOTNET_STARTUP_HOOKS PHPRC PHP_INI_SCAN_DIR LUA_INIT LUA_PATH LUA_CPATH ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS
    GCONV_PATH GLIBC_TUNABLES HOSTALIASES RES_OPTIONS LOCALDOMAIN NLSPATH OPENSSL_CONF OPENSSL_MODULES
    OPENSSL_ENGINES SSL_CERT_FILE SSL_CERT_DIR TERMINFO TERMINFO_DIRS RUSTC_WRAPPER MAKEFLAGS PATHEXT COMSPEC
    XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_DATA_DIRS TAR_OPTIONS RSYNC_RSH CVS_RSH SVN_SSH GOFLAGS INPUTRC
    MAKEFILES GCC_EXEC_PREFIX RUSTC CARGO_HOME CARGO_BUILD_RUSTC_WRAPPER BUNDLE_GEMFILE NODE_REPL_EXTERNAL_MODULE
    NODE_EXTRA_CA_CERTS JAVA_HOME JAVA_OPTS ANSIBLE_CONFIG HGRCPATH GTK_MODULES GTK_PATH QT_PLUGIN_PATH
    GIO_EXTRA_MODULES JULIA_LOAD_PATH AWKPATH AWKLIBPATH PERL5SHELL RUBYSHELL ELECTRON_RUN_AS_NODE
    LOCPATH PS1 PS2 SSLKEYLOGFILE CURL_HOME WGETRC YARN_RC_FILENAME PGSYSCONFDIR
    PPROTECT_ALLOW_LOCAL_REFERENCES PPROTECT_ENV_PREFIX PPROTECT_FILE PPROTECT_PACKAGE_TOKEN PPROTECT_RECIPIENT_KEY
    PPROTECT_STATE_DIR PPROTECT_TRUST
    VIMINIT EXINIT LESSKEY R_PROFILE R_PROFILE_USER R_ENVIRON COR_PROFILER CORECLR_PROFILER TCLLIBPATH GEM_PATH GEM_HOME
    """.split()
)
_RESERVED_PREFIXES = ("LD_", "DYLD_", "PYTHON", "GIT_", "BASH_FUNC_", "LUA_INIT_", "NPM_CONFIG_", "npm_config_")

_ADDRESSABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_shell_name(name: str) -> bool:
    """Return whether a shell can address a variable of this name."""
    return _ADDRESSABLE.fullmatch(name) is not None


def variable_name(secret: str, prefix: str | None, uppercase: bool) -> str:
    """Return the variable for a secret: `db-password` with `uppercase` and prefix `APP` becomes `APP_DB_PASSWORD`."""
    name = re.sub("[^A-Za-z0-9]", "_", secret).upper() if uppercase else secret
    return f"{prefix}_{name}" if prefix else name


def variable_names(secrets: Iterable[str], prefix: str | None, *, uppercase: bool) -> dict[str, str]:
    """Return secret → variable. Raises StoreError if two secrets map to one variable."""
    names: dict[str, str] = {}
    secret_of: dict[str, str] = {}
    for secret in secrets:
        name = variable_name(secret, prefix, uppercase)
        if name in secret_of:
            raise StoreError(
                f"the secrets {secret_of[name]!r} and {secret!r} both map to the variable {name}",
                hint="rename one of them, or omit --uppercase",
            )
        names[secret], secret_of[name] = name, secret
    return names


def program_variables(
    secrets: Mapping[str, str],
    base: Mapping[str, str],
    *,
    credentials: Iterable[str],
    prefix: str | None = None,
    uppercase: bool = False,
    passthrough: bool = True,
) -> dict[str, str]:
    """Return the environment of a program: the variables of `base` without `credentials`, and those of the secrets.

    Without `passthrough` only a few basic variables of `base` remain. Raises StoreError if a name would change how
    programs run, if two secrets map to one variable, and if a variable cannot hold a value.
    """
    variables: dict[str, str] = {}
    for secret, name in variable_names(secrets, prefix, uppercase=uppercase).items():
        _check_name(secret, name, "give it another name: --prefix APP")
        _check_value(secret, name, secrets[secret])
        variables[name] = secrets[secret]
    inherited = base if passthrough else {name: base[name] for name in _BASIC if name in base}
    scrubbed = set(credentials)
    return {name: value for name, value in inherited.items() if name not in scrubbed} | variables


def assignments(values: Mapping[str, str], before: str = "", *, hint: str) -> str:
    """Return one shell assignment per line, sorted by name, each after `before`.

    Raises StoreError as `check_assignable` does, because a shell evaluates the result.
    """
    for name, value in values.items():
        check_assignable(name, value, hint)
    return "".join(f"{before}{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))


def check_assignable(name: str, value: str, hint: str) -> None:
    """Check that a shell can assign the value to a variable of this name.

    Raises StoreError if no shell can address the name, if it changes how programs run, and if the value has a NUL.
    """
    if not is_shell_name(name):
        raise StoreError(f"no shell can address a variable {name!r}", hint=hint)
    _check_name(name, name, hint)
    _check_text(name, value, hint)


def _check_name(secret: str, name: str, hint: str) -> None:
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise StoreError(f"secret {secret!r} would set the variable {name}, which changes how programs run", hint=hint)


def _check_text(secret: str, value: str, hint: str = "") -> None:
    if "\0" in value:
        raise StoreError(f"secret {secret!r} has a NUL character, and no variable can hold one", hint=hint)


def _check_value(secret: str, name: str, value: str) -> None:
    _check_text(secret, value)
    number = len(value.encode(errors="surrogateescape"))
    if len(name.encode()) + 1 + number > _MOST_BYTES:
        raise StoreError(
            f"secret {secret!r} is too large for a variable ({number} bytes)",
            hint="read it in the program with: pprotect get DOMAIN NAME",
        )
