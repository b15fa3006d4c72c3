"""Every command, in the order of the help page, and the options that take a value.

The module imports nothing heavy: the command line is read with this table before typer is imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple


class CommandRow(NamedTuple):
    """One command: `function` of `commands/<module>.py`, listed under the heading `panel` of the help page."""

    name: str
    module: str
    function: str
    panel: str

    def load(self) -> Callable[..., Any]:
        """Import the module, and return the function."""
        module = importlib.import_module(f"pocket_protector.cli.commands.{self.module}")
        function: Callable[..., Any] = getattr(module, self.function)
        return function


COMMANDS = (
    CommandRow("init", "file", "init", "File"),
    CommandRow("upgrade", "file", "upgrade", "File"),
    CommandRow("list-audit-log", "file", "list_audit_log", "File"),
    CommandRow("truncate-audit-log", "file", "truncate_audit_log", "File"),
    CommandRow("version", "file", "version", "File"),
    CommandRow("add-key-custodian", "custodians", "add_key_custodian", "Key custodians"),
    CommandRow("rm-key-custodian", "custodians", "rm_key_custodian", "Key custodians"),
    CommandRow("list-user-secrets", "custodians", "list_user_secrets", "Key custodians"),
    CommandRow("set-key-custodian-passphrase", "custodians", "set_key_custodian_passphrase", "Key custodians"),
    CommandRow("rekey-custodian", "custodians", "rekey_custodian", "Key custodians"),
    CommandRow("add-domain", "domains", "add_domain", "Key domains"),
    CommandRow("rm-domain", "domains", "rm_domain", "Key domains"),
    CommandRow("list-domains", "domains", "list_domains", "Key domains"),
    CommandRow("rotate-domain-keys", "domains", "rotate_domain_keys", "Key domains"),
    CommandRow("add-owner", "owners", "add_owner", "Owners"),
    CommandRow("rm-owner", "owners", "rm_owner", "Owners"),
    CommandRow("migrate-owner", "owners", "migrate_owner", "Owners"),
    CommandRow("add-secret", "secrets", "add_secret", "Secrets"),
    CommandRow("update-secret", "secrets", "update_secret", "Secrets"),
    CommandRow("set-secret", "secrets", "set_secret", "Secrets"),
    CommandRow("rm-secret", "secrets", "rm_secret", "Secrets"),
    CommandRow("set-sensitivity", "secrets", "set_sensitivity", "Secrets"),
    CommandRow("list-domain-secrets", "listing", "list_domain_secrets", "Secrets"),
    CommandRow("list-all-secrets", "listing", "list_all_secrets", "Secrets"),
    CommandRow("check-references", "references", "check_references", "References"),
    CommandRow("import-reference", "references", "import_reference", "References"),
    CommandRow("get", "values", "get", "Reading"),
    CommandRow("decrypt-domain", "values", "decrypt_domain", "Reading"),
    CommandRow("export", "export", "export", "Reading"),
    CommandRow("run", "run", "run", "Running programs"),
    CommandRow("exec", "run", "exec_", "Running programs"),
    CommandRow("trust", "trust", "trust", "Trust"),
    CommandRow("fingerprint", "trust", "fingerprint", "Trust"),
    CommandRow("verify", "verify", "verify", "Trust"),
    CommandRow("status", "status", "status", "Trust"),
    CommandRow("review", "review", "review", "Trust"),
    CommandRow("set-policy", "policies", "set_policy", "Trust"),
    CommandRow("resolve", "merging", "resolve", "Git"),
    CommandRow("join", "merging", "join", "Git"),
    CommandRow("pubkey", "public_keys", "pubkey", "Packages"),
    CommandRow("keygen", "public_keys", "keygen", "Packages"),
    CommandRow("package", "package", "package", "Packages"),
    CommandRow("unpack", "unpack", "unpack", "Packages"),
)
COMMANDS_BY_NAME = {row.name: row for row in COMMANDS}

OPTIONS_WITH_VALUE = frozenset(
    """
    -f --file -u --user --passphrase-file --new-passphrase-file --env-prefix --key-type --output-format --secret
    --domain --secret-name --from-file --prefix --trust --expect-fingerprint --max-age --min-owners
    --reference --sensitivity --format --recipient --out --token-out --ttl --gate --in --identity --identity-file
    --token --sender --into
    """.split()
)
"""All options whose value may be the next word. A name takes a value in every command or in none."""

OPTION_WITH_LENGTH = "--generate"
"""The one option with an optional value."""
