using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Pillarbox.Transport.Sockets;

/// <summary>
/// What a connection is and what was added to it. The first costs no memory: the connection is each of these features
/// itself; what is added is little and is looked through. One thread at a time.
/// </summary>
internal sealed class SocketFeatures(SocketConnection connection) : IFeatureCollection
{
    private readonly List<KeyValuePair<Type, object>> _added = [];

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <inheritdoc/>
    public int Revision { get; private set; }

    /// <inheritdoc/>
    public object? this[Type key]
    {
        get
        {
            int place = PlaceOf(key);
            return place >= 0 ? _added[place].Value : key.IsInstanceOfType(connection) ? connection : null;
        }

        set
        {
            Revision++;
            int place = PlaceOf(key);
            if (place >= 0)
            {
                _added.RemoveAt(place);
            }

            if (value is not null)
            {
                _added.Add(new(key, value));
            }
        }
    }

    /// <inheritdoc/>
    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    /// <inheritdoc/>
    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _added.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int PlaceOf(Type key) => _added.FindIndex(added => added.Key == key);
}
