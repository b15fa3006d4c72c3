"""Sealed packages on the joint for exports."""

from __future__ import annotations

from typing import Any

from pocket_protector.document.exported import ExportedDomain
from pocket_protector.errors import StoreError
from pocket_protector.packages.package_sealing import PackageRequest, seal_package


class PackageExporter:
    """A package for the recipients of a `PackageRequest`; StoreError without one."""

    seals = True

    def export(self, domain: ExportedDomain, request: Any = None) -> bytes:
        if not isinstance(request, PackageRequest):
            raise StoreError("a sealed package needs recipients", hint="pprotect package")
        return seal_package(domain, request)
