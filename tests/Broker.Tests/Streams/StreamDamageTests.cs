using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Storage;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Records that were durable and are damaged now, found at the next start behind the last
/// checkpoint.</summary>
public sealed class StreamDamageTests
{
    [Fact]
    public void A_damaged_batch_is_kept_and_costs_no_other_and_no_offset()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        foreach (string value in new[] { "first", "canary", "last" })
        {
            scene.Append(partition, value);
        }

        string folder = "data/streams/" + Partition.FolderOf(partition.Stream.Id);
        Damage(scene, folder, "canary");
        for (int start = 0; start < 2; start++)
        {
            scene.RestartWithoutCheckpoint();
            partition = scene.Find("readings");
            Assert.Equal(["first", "last"], StreamScene.ReadAll(partition));
            Assert.Equal(3, partition.EndOffset);
            QuarantineEntry entry = Assert.Single(scene.Broker.Management.Quarantine.List(Identity.Node));
            Assert.Equal(("stream", "default", "readings", 0), (
                entry.Origin.Source, entry.Origin.Space, entry.Origin.Stream, entry.Origin.Partition));
            Assert.True(entry.Origin.Position > 0);
            Assert.Contains("checksum", entry.Origin.Reason, StringComparison.Ordinal);
            using QuarantineBytes bytes = scene.Broker.Management.Quarantine.Open(Identity.Node, entry.Id);
            byte[] all = new byte[bytes.Length];
            bytes.Read(0, all);
            Assert.Contains("Canary", Encoding.Latin1.GetString(all), StringComparison.Ordinal);
            Assert.Empty(scene.Files.List(folder, ".damaged"));
        }

        scene.Append(partition, "new");
        Assert.Equal(["first", "last", "new"], StreamScene.ReadAll(partition));
    }

    [Fact]
    public void Damage_of_one_definition_in_the_catalog_leaves_the_other_streams()
    {
        using var scene = new StreamScene();
        scene.CreateOne("first");
        scene.CreateOne("canary");
        scene.Append(scene.CreateOne("last"), "a");
        Damage(scene, "data/streams/catalog-default", "canary");
        scene.Restart();
        Assert.Equal(["first", "last"], scene.Catalog.All.Select(stream => stream.Name).Order());
        Assert.Equal(["a"], StreamScene.ReadAll(scene.Find("last")));
        QuarantineEntry entry = Assert.Single(scene.Broker.Management.Quarantine.List(Identity.Node));
        Assert.StartsWith("streams/catalog-default/", entry.Origin.File, StringComparison.Ordinal);
    }

    private static void Damage(StreamScene scene, string folder, string text)
    {
        string path = folder + "/" + Assert.Single(scene.Files.List(folder, ".log"));
        using IFile file = scene.Files.Open(path, FileOpening.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        int at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
        file.Write(at, [(byte)char.ToUpperInvariant(text[0])]);
    }
}
