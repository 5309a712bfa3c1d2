"""Archives under a passphrase, in the format of age (age-encryption.org), which `age -d` opens."""

from personaagent.core.errors import DataError, UsageError
from personaagent.core.extras import requires_extra

AGE = b"age-encryption.org/"
"""The first bytes of an encrypted file."""


def is_encrypted(content: bytes) -> bool:
    """Whether ``content`` is an age file."""
    return content.startswith(AGE)


def encrypt(content: bytes, passphrase: str) -> bytes:
    """``content`` as an age file.

    Raises:
        ConfigurationError: the package pyrage is not installed.
    """
    with requires_extra("encryption", "A passphrase"):
        from pyrage import passphrase as age  # pyright: ignore[reportAttributeAccessIssue]

    encrypted: bytes = age.encrypt(content, passphrase)
    return encrypted


def decrypt(content: bytes, passphrase: str | None) -> bytes:
    """What is in an age file.

    Raises:
        UsageError: there is no passphrase.
        DataError: the passphrase is wrong, or the file is damaged.
        ConfigurationError: the package pyrage is not installed.
    """
    with requires_extra("encryption", "An encrypted archive"):
        from pyrage import DecryptError  # pyright: ignore[reportAttributeAccessIssue]
        from pyrage import passphrase as age  # pyright: ignore[reportAttributeAccessIssue]

    if not passphrase:
        raise UsageError("The archive is encrypted: give its passphrase.")
    try:
        decrypted: bytes = age.decrypt(content, passphrase)
    except DecryptError as error:
        raise DataError(
            "The archive cannot be decrypted: the passphrase is wrong, or the file is damaged."
        ) from error
    return decrypted
