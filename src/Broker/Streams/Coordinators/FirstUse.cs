namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Something that is made with its first use, by one thread; when that fails, the next use tries again. Any
/// thread.</summary>
internal sealed class FirstUse<T>(Func<T> make)
    where T : class
{
    private readonly Lock _gate = new();
    private volatile T? _value;

    public bool IsMade => _value is not null;

    public T Value => _value ?? Make();

    private T Make()
    {
        lock (_gate)
        {
            return _value ??= make();
        }
    }
}
