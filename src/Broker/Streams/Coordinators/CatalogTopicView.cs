using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>The catalog's streams as coordinators see them. Any thread.</summary>
internal sealed class CatalogTopicView(StreamCatalog catalog) : ITopicView
{
    public long Version => catalog.Version;

    public IEnumerable<string> Names => catalog.All.Where(s => !s.IsInternal).Select(s => s.Name);

    public TopicInfo? Find(string name) => InfoOf(catalog.Find(name));

    public TopicInfo? Find(Guid id) => InfoOf(catalog.Find(id));

    private static TopicInfo? InfoOf(RecordStream? stream) =>
        stream is null ? null : new TopicInfo(stream.Name, stream.Id, stream.Partitions.Count);
}
