using System.IO.Pipelines;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>
/// What a node reads from its peer. Throws when the node reads again and again what is over: on one thread that would
/// be for ever.
/// </summary>
internal sealed class PatientReader(PipeReader inner) : PipeReader
{
    private const int ReadsMax = 10_000;

    private int _readsOfTheEnd;

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read = inner.ReadAsync(cancellationToken);
        if (read.IsCompletedSuccessfully && read.Result.IsCompleted && ++_readsOfTheEnd > ReadsMax)
        {
            throw new InvalidOperationException("what is over is read again and again");
        }
        return read;
    }

    public override bool TryRead(out ReadResult result) => inner.TryRead(out result);
}
