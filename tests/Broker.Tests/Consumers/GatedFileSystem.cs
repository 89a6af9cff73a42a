using Pillarbox.Storage;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Broker.Tests.Consumers;

/// <summary>Files whose writes wait while the gate is closed: a disk that hangs.</summary>
internal sealed class GatedFileSystem(IFileSystem inner) : PassingFiles(inner), IDisposable
{
    private readonly ManualResetEventSlim _gate = new(initialState: true);

    public void Close() => _gate.Reset();

    public void Open() => _gate.Set();

    public override IFile Open(string path, FileOpening opening) => new GatedFile(base.Open(path, opening), _gate);

    /// <summary>Lets go of whoever waits; a thread that still writes may look at the gate after the test.</summary>
    public void Dispose() => _gate.Set();

    private sealed class GatedFile(IFile file, ManualResetEventSlim gate) : PassingFile(file)
    {
        public override void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            gate.Wait();
            base.Write(offset, bytes);
        }
    }
}
