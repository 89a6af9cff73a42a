using Pillarbox.Storage;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Files whose next read of a large body waits until it is let go: a disk that takes its time.</summary>
internal sealed class HeldReads(IFileSystem inner) : PassingFiles(inner)
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when it waits.</summary>
    public Task Begun => _begun.Task;

    public void GoOn() => _gate.TrySetResult();

    public override IFile Open(string path, FileOpening opening) => new HeldFile(this, base.Open(path, opening));

    private sealed class HeldFile(HeldReads owner, IFile file) : PassingFile(file)
    {
        public override async ValueTask<int> ReadAsync(
            long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            if (owner._begun.TrySetResult())
            {
                await owner._gate.Task;
            }

            return await base.ReadAsync(offset, buffer, cancellation);
        }
    }
}
