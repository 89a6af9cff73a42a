namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Notices streams that are no more, also when another one has their name by now. One owner: the
/// tick.</summary>
internal sealed class DeletedTopics(StreamCatalog catalog, Action<string, Guid> gone)
{
    private Dictionary<string, Guid> _seen = [];
    private long _version = -1;

    public void Look()
    {
        // The version is read first: what changes meanwhile is seen with the next look.
        long version = catalog.Version;
        if (version == _version)
        {
            return;
        }

        Dictionary<string, Guid> now = [];
        foreach (RecordStream stream in catalog.All)
        {
            now[stream.Name] = stream.Id;
        }

        foreach ((string name, Guid id) in _seen)
        {
            if (!now.TryGetValue(name, out Guid present) || present != id)
            {
                gone(name, id);
            }
        }

        _seen = now;
        _version = version;
    }
}
