using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Transport;

/// <summary>
/// An output that sends bytes from where they are, behind what was written to it before. One caller at a time; what is
/// sent has to stay as it is until the task completes. All throw <see cref="IOException"/> when the peer is gone.
/// </summary>
public interface IDirectOutput
{
    /// <summary>Sends bytes without a copy in this program's memory.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Sends a part of a file without a copy in this program's memory (<c>sendfile</c>); the file has at least
    /// so many bytes.</summary>
    ValueTask SendFileAsync(SafeFileHandle file, long offset, int count);
}
