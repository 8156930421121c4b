"""The protection plugins, as Karbor finds them."""

from typing import Any, ClassVar

from karbor.services.protection import protection_plugin

from karbor_backup_core import InvalidInput, Verb
from karbor_glue import _schemas
from karbor_glue._credentials import (
    Credentials,
    DefaultCredentials,
    TrustCredentials,
    choose_cloud_credentials,
    choose_freezer_credentials,
)
from karbor_glue._operations import (
    CopyOperation,
    DeleteOperation,
    ProtectOperation,
    ResourceOperation,
    RestoreOperation,
    VerifyOperation,
)
from karbor_glue._settings import Settings, read_backend_settings, read_freezer_settings


class BackupProtectionPlugin(protection_plugin.ProtectionPlugin):  # type: ignore[misc]  # untyped
    """Protects resources with the backend that the provider's file names.

    Karbor asks a class for its types before it reads the provider's file: this one lists the types
    of every installed backend. The class of one backend sets ``BACKEND``, lists that backend's
    types only, and needs no ``backend`` in the provider's file.

    Karbor makes a new object for each operation and resource type, and what is raised while it
    does leaves a checkpoint as it is for ever. So nothing is read, loaded or asked for here: all
    of that is done in the hooks.
    """

    BACKEND: ClassVar[str | None] = None
    """The name of the one backend; None for the one that the provider's file names."""

    def get_protect_operation(self, resource: Any) -> ResourceOperation:
        """Return the hooks of a protect."""
        return ProtectOperation(self.settings, self.credentials)

    def get_restore_operation(self, resource: Any) -> ResourceOperation:
        """Return the hooks of a restore."""
        return RestoreOperation(self.settings, self.credentials)

    def get_verify_operation(self, resource: Any) -> ResourceOperation:
        """Return the hooks of a verify."""
        return VerifyOperation(self.settings, self.credentials)

    def get_delete_operation(self, resource: Any) -> ResourceOperation:
        """Return the hooks of a delete."""
        return DeleteOperation(self.settings, self.credentials)

    def get_copy_operation(self, resource: Any) -> CopyOperation:
        """Return hooks that refuse."""
        return CopyOperation()

    @property
    def conf(self) -> Any:
        """The provider's configuration."""
        return self._config

    def settings(self) -> Settings:
        """Read the provider's file."""
        return read_backend_settings(self._config, self.BACKEND)

    def credentials(self, context: Any) -> Credentials:
        """Choose the credentials for a request of Karbor's."""
        return DefaultCredentials()

    def lent_credentials(self, trust: str) -> Credentials:
        """Return the credentials of a trust that a process which is gone has left."""
        return TrustCredentials(trust)

    @classmethod
    def get_supported_resources_types(cls) -> list[str]:
        """List the types; whether the provider's backend has one shows in the first hook."""
        return _schemas.resource_types(cls.BACKEND)

    @classmethod
    def get_options_schema(cls, resource_type: str) -> dict[str, Any]:
        """Describe the options of a protect."""
        return _schemas.options_schema(cls.BACKEND, Verb.PROTECT, resource_type)

    @classmethod
    def get_restore_schema(cls, resource_type: str) -> dict[str, Any]:
        """Describe the options of a restore."""
        return _schemas.options_schema(cls.BACKEND, Verb.RESTORE, resource_type)

    @classmethod
    def get_verify_schema(cls, resource_type: str) -> dict[str, Any]:
        """Describe the options of a verify."""
        return _schemas.options_schema(cls.BACKEND, Verb.VERIFY, resource_type)

    @classmethod
    def get_saved_info_schema(cls, resource_type: str) -> dict[str, Any]:
        """Describe what ``get_saved_info`` answers: nothing."""
        title = f"Saved info of {resource_type}"
        return {"title": title, "type": "object", "properties": {}, "required": []}

    @classmethod
    def get_saved_info(cls, metadata_store: Any, resource: Any) -> None:
        """Return nothing."""


class FakeProtectionPlugin(BackupProtectionPlugin):
    """Protects resources of a cloud that is in the process's memory, for trying Karbor."""

    BACKEND = "fake"


class CinderProtectionPlugin(BackupProtectionPlugin):
    """Protects resources with Cinder's own backups; it needs no Freezer."""

    BACKEND = "cinder"

    def credentials(self, context: Any) -> Credentials:
        """Choose the credentials for Cinder, Nova and Glance."""
        try:
            configuration = self.settings().configuration
        except InvalidInput:
            # The hook that uses the settings says what is wrong with them.
            return DefaultCredentials()
        return choose_cloud_credentials(configuration, context)


class FreezerProtectionPlugin(BackupProtectionPlugin):
    """Protects resources with OpenStack Freezer."""

    BACKEND = "freezer"

    def settings(self) -> Settings:
        """Read the provider's file."""
        return read_freezer_settings(self._config)

    def credentials(self, context: Any) -> Credentials:
        """Choose the credentials for Freezer."""
        return choose_freezer_credentials(self._config, context)

    def lent_credentials(self, trust: str) -> Credentials:
        """Return the credentials of a trust, with what the file says of connections."""
        return TrustCredentials(trust, self._config)
