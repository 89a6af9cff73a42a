namespace Pillarbox.Broker.Security.Tokens;

/// <summary>
/// The newest key set, read by the first who needs it and again when it is old, or when a token names a key that is not
/// in it. While it cannot be read, the last one stays good. Any thread.
/// </summary>
internal sealed class TokenKeySource(TokenOptions options) : IDisposable
{
    /// <summary>Tokens with unknown keys make the set be read at most this often, in milliseconds.</summary>
    public const int RereadMsMin = 10_000;

    // One reads; whoever comes meanwhile waits for that.
    private readonly SemaphoreSlim _reading = new(1);
    private TokenKeys _keys = TokenKeys.None;
    private long _readAt;
    private bool _isRead;

    /// <summary>The key that a token names; null with the reason when there is none.</summary>
    public async ValueTask<(TokenKey? Key, string? Fault)> FindAsync(
        string? id, TokenAlgorithm algorithm, CancellationToken cancellation)
    {
        string? fault = await RefreshAsync(options.KeysAgeMsMax, cancellation).ConfigureAwait(false);
        TokenKey? key = Volatile.Read(ref _keys).Find(id, algorithm);
        if (key is null && fault is null)
        {
            fault = await RefreshAsync(RereadMsMin, cancellation).ConfigureAwait(false);
            key = Volatile.Read(ref _keys).Find(id, algorithm);
        }

        return (key, key is null ? fault ?? "the token's key is none of the issuer's" : null);
    }

    public void Dispose() => _reading.Dispose();

    private bool IsYounger(int ageMs) =>
        Volatile.Read(ref _isRead)
        && options.Time.GetElapsedTime(Volatile.Read(ref _readAt)).TotalMilliseconds < ageMs;

    private async ValueTask<string?> RefreshAsync(int ageMsMax, CancellationToken cancellation)
    {
        if (IsYounger(ageMsMax))
        {
            return null;
        }

        await _reading.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!IsYounger(ageMsMax))
            {
                Volatile.Write(ref _readAt, options.Time.GetTimestamp());
                Volatile.Write(ref _isRead, true);
                byte[] bytes = await options.ReadKeys(cancellation).ConfigureAwait(false);
                Volatile.Write(ref _keys, TokenKeys.Parse(bytes));
            }

            return null;
        }
        catch (Exception e) when (e is TokenKeysException or FormatException)
        {
            return e.Message;
        }
        finally
        {
            _reading.Release();
        }
    }
}
