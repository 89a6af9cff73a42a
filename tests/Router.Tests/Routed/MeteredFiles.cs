using Pillarbox.Storage;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Counts the bytes that are read from files of large bodies, and breaks them when it is told to.</summary>
internal sealed class MeteredFiles(IFileSystem inner) : PassingFiles(inner)
{
    /// <summary>Bytes read from files of large bodies.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Whether what is read of them is wrong from now on.</summary>
    public bool IsBroken { get; set; }

    public override IFile Open(string path, FileOpening opening)
    {
        IFile file = base.Open(path, opening);
        return opening == FileOpening.Read && path.EndsWith(".blob", StringComparison.Ordinal)
            ? new MeteredFile(this, file)
            : file;
    }

    private sealed class MeteredFile(MeteredFiles files, IFile inner) : PassingFile(inner)
    {
        public override int Read(long offset, Span<byte> buffer) => Count(base.Read(offset, buffer), buffer);

        public override async ValueTask<int> ReadAsync(
            long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            Count(await base.ReadAsync(offset, buffer, cancellation), buffer.Span);

        private int Count(int read, Span<byte> buffer)
        {
            files.BytesRead += read;
            if (files.IsBroken)
            {
                buffer[..read].Reverse();
            }

            return read;
        }
    }
}
