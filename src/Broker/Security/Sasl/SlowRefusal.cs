namespace Pillarbox.Broker.Security.Sasl;

/// <summary>
/// Says no only after a while, so that who guesses passwords cannot try many on few connections; yes comes at once. It
/// waits in <see cref="VerifyAsync"/>, by the clock, without a thread, once in an exchange. Who does not stay to hear
/// it has lost the connection as well.
/// </summary>
internal sealed class SlowRefusal(ISaslServer inner, TimeProvider time, int delayMs) : ISaslServer
{
    private SaslStep? _refusal;
    private bool _hasWaited;

    public string Mechanism => inner.Mechanism;

    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        SaslStep step = inner.Step(response);
        if (!MustWait(step))
        {
            return step;
        }

        _refusal = step;
        return new SaslStep(SaslStatus.Verify);
    }

    public async ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation)
    {
        SaslStep step = _refusal ?? await inner.VerifyAsync(cancellation).ConfigureAwait(false);
        if (MustWait(step))
        {
            _hasWaited = true;
            await Task.Delay(TimeSpan.FromMilliseconds(delayMs), time, cancellation).ConfigureAwait(false);
        }

        _refusal = null;
        return step;
    }

    public void Dispose() => inner.Dispose();

    // A challenge with a reason says no too: the peer answers it and then hears so.
    private bool MustWait(in SaslStep step) =>
        !_hasWaited && (step.Status == SaslStatus.Failed
            || (step.Status == SaslStatus.Challenge && step.Reason is not null));
}
