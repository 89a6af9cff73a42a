using System.Security.Cryptography;
using System.Text;

namespace Pillarbox.Broker.Security;

/// <summary>
/// A password or key that no log, message or serializer can print by accident: its text form is <c>***</c>.
/// Disposing overwrites the bytes. Not thread-safe while it is disposed.
/// </summary>
public sealed class Secret : IDisposable
{
    /// <summary>The longest secret, in bytes.</summary>
    public const int BytesMax = 1024;

    private readonly byte[] _bytes;

    /// <summary>Keeps a copy of the bytes.</summary>
    public Secret(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    /// <summary>Keeps the text as UTF-8.</summary>
    public Secret(string text) => _bytes = Encoding.UTF8.GetBytes(text);

    /// <summary>The secret's bytes; the one way to them. UTF-8 for a password.</summary>
    public ReadOnlySpan<byte> Reveal() => _bytes;

    /// <inheritdoc/>
    public override string ToString() => "***";

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
