namespace Pillarbox.Storage.Tests;

/// <summary>Files of large bodies whose reads wait while they are stopped: a disk that takes its time.</summary>
internal sealed class SlowReads(IFileSystem inner) : PassingFiles(inner)
{
    private TaskCompletionSource? _gate;

    /// <summary>Reads that wait.</summary>
    public int Waiting { get; private set; }

    public void Stop() => _gate = new TaskCompletionSource();

    public void GoOn()
    {
        _gate?.TrySetResult();
        _gate = null;
    }

    public override IFile Open(string path, FileOpening opening) =>
        path.Contains($"/{DataLayout.Large}/", StringComparison.Ordinal)
            ? new SlowFile(this, base.Open(path, opening))
            : base.Open(path, opening);

    private sealed class SlowFile(SlowReads owner, IFile file) : PassingFile(file)
    {
        public override async ValueTask<int> ReadAsync(
            long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            if (owner._gate is { } gate)
            {
                owner.Waiting++;
                await gate.Task.ConfigureAwait(false);
                owner.Waiting--;
            }

            return await base.ReadAsync(offset, buffer, cancellation).ConfigureAwait(false);
        }
    }
}
