using System.Buffers;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Storage;
using Pillarbox.Storage.Quarantine;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Broker.Tests;

/// <summary>Damaged bytes are kept, with where they come from, over restarts.</summary>
public sealed class QuarantineTests
{
    [Fact]
    public void A_damaged_message_leaves_its_queue_and_its_bytes_are_kept()
    {
        using var scene = new Scene();
        scene.Connect().Send("orders", "first", "canary", "last");
        scene.Restart();
        Damage(scene, DataLayout.Journal, "canary");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["first", "last"], TakeGood(actor));
        scene.Settle();

        QuarantineEntry entry = Assert.Single(Entries(scene));
        Assert.Equal(("journal", "default", "orders", "orders"), (
            entry.Origin.Source, entry.Origin.Space, entry.Origin.Address, entry.Origin.Queue));
        Assert.StartsWith("journal/", entry.Origin.File, StringComparison.Ordinal);
        Assert.Equal(entry.Origin.MessageId, entry.Origin.Position);
        Assert.Contains("Canary", Text(scene, entry.Id), StringComparison.Ordinal);

        scene.Restart();
        Assert.Equal(entry, Assert.Single(Entries(scene)));
        Assert.Equal(2, scene.Connect().Consume("orders").Queue.Counters.Messages);
        scene.Broker.Management.Quarantine.Drop(Identity.Node, entry.Id);
        Assert.Empty(Entries(scene));
    }

    [Fact]
    public void Damage_that_replay_meets_is_kept_once_however_often_the_node_starts()
    {
        using var scene = new Scene();
        Actor sender = scene.Connect();
        sender.Send("orders", "first", "canary");
        sender.Send("orders", "last");
        Damage(scene, DataLayout.Journal, "canary");
        for (int start = 0; start < 3; start++)
        {
            scene.Crash();
            QuarantineEntry entry = Assert.Single(Entries(scene));
            Assert.Equal(("journal", "orders", null), (
                entry.Origin.Source, entry.Origin.Address, entry.Origin.Queue));
            Assert.Contains("Canary", Text(scene, entry.Id), StringComparison.Ordinal);
        }

        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["first", "last"], actor.Take());
    }

    [Fact]
    public void A_file_that_was_set_aside_is_moved_there()
    {
        using var scene = new Scene();
        scene.Connect().Send("orders", "a");
        scene.Restart();
        string snapshot = scene.Files.List("data/snapshots", ".snap")[^1];
        using (IFile file = scene.Files.Open("data/snapshots/" + snapshot, FileOpening.ReadWrite))
        {
            file.Write(30, [1]);
        }

        scene.Crash();
        QuarantineEntry entry = Assert.Single(Entries(scene));
        Assert.Equal(("snapshot", "snapshots/" + snapshot), (entry.Origin.Source, entry.Origin.File));
        Assert.Equal("the checksum of the file's header is wrong", entry.Origin.Reason);
        Assert.Empty(scene.Files.List("data/snapshots", ".damaged"));
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public async Task A_damaged_large_body_is_moved_there()
    {
        using var scene = new Scene(options => options with { LargeMessageBytesMin = 1000 });
        Actor sender = scene.Connect();
        sender.Queue("orders");
        SendLarge(scene, sender, Encoding.UTF8.GetBytes(new string('x', 100_000) + "canary"));
        Damage(scene, DataLayout.Large, "canary");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Delivery delivery = Assert.Single(actor.Deliveries);
        using (MessageLease lease = actor.Read(delivery))
        {
            using LargeBody body = lease.Large!;
            await Assert.ThrowsAsync<DamagedRecordException>(async () =>
                await body.ReadAsync(90_000, new byte[10_000], CancellationToken.None));
        }

        actor.Client.Quarantine(delivery, "damaged");
        scene.Settle();
        Assert.Equal(["journal", "large"], Entries(scene).Select(entry => entry.Origin.Source));
        Assert.Contains("Canary", Text(scene, 2), StringComparison.Ordinal);
        Assert.Empty(scene.Files.List("data/large", ".blob"));
    }

    [Fact]
    public async Task A_body_that_is_not_there_is_damage_of_its_message_alone()
    {
        using var scene = new Scene(options => options with { LargeMessageBytesMin = 1000 });
        Actor sender = scene.Connect();
        sender.Queue("orders");
        SendLarge(scene, sender, new byte[300_000]);
        scene.Files.Delete("data/large/" + scene.Files.List("data/large", ".blob")[0]);
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Delivery delivery = Assert.Single(actor.Deliveries);
        Assert.False(actor.Client.TryRead(delivery, out _));
        await Assert.ThrowsAsync<DamagedRecordException>(async () =>
            await actor.Client.ReadAsync(delivery, CancellationToken.None));
    }

    [Fact]
    public void A_disk_without_room_for_it_does_not_hold_up_the_queue()
    {
        using var scene = new Scene(options => options with
        {
            FileSystem = new NoQuarantine(options.FileSystem),
        });
        scene.Connect().Send("orders", "canary", "last");
        scene.Restart();
        Damage(scene, DataLayout.Journal, "canary");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["last"], TakeGood(actor));
        scene.Settle();
        Assert.Empty(Entries(scene));
        Assert.Equal(1, scene.Connect().Consume("orders", credit: 0).Queue.Counters.Messages);
    }

    private static IReadOnlyList<QuarantineEntry> Entries(Scene scene) =>
        scene.Broker.Management.Quarantine.List(Identity.Node);

    private static void SendLarge(Scene scene, Actor sender, byte[] body)
    {
        LargePublish large = sender.Client.BeginLarge(sender.Producer("orders"));
        Assert.True(large.Append(new ReadOnlySequence<byte>(body)));
        Assert.True(large.Finish());
        large.Complete(new MessageHeader { Durable = true }, tag: 1);
        scene.Settle();
    }

    private static string Text(Scene scene, long id)
    {
        using QuarantineBytes bytes = scene.Broker.Management.Quarantine.Open(Identity.Node, id);
        byte[] buffer = new byte[bytes.Length];
        bytes.Read(0, buffer);
        return Encoding.UTF8.GetString(buffer);
    }

    /// <summary>The bodies that can be read; the others are put into quarantine, as a protocol does.</summary>
    private static List<string> TakeGood(Actor actor)
    {
        var bodies = new List<string>();
        foreach (Delivery delivery in actor.Deliveries)
        {
            try
            {
                bodies.Add(actor.Body(delivery));
            }
            catch (DamagedRecordException damage)
            {
                actor.Client.Quarantine(delivery, damage.Message);
            }
        }

        return bodies;
    }

    private static void Damage(Scene scene, string folder, string text)
    {
        foreach (string name in scene.Files.List("data/" + folder, ""))
        {
            using IFile file = scene.Files.Open($"data/{folder}/{name}", FileOpening.ReadWrite);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            int at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
            if (at >= 0)
            {
                file.Write(at, [(byte)char.ToUpperInvariant(text[0])]);
                return;
            }
        }

        Assert.Fail($"'{text}' is not in {folder}");
    }

    /// <summary>A disk that is full for the quarantine alone.</summary>
    private sealed class NoQuarantine(IFileSystem inner) : PassingFiles(inner)
    {
        public override IFile Open(string path, FileOpening opening) =>
            path.Contains(DataLayout.Quarantine, StringComparison.Ordinal)
                ? throw new StorageFullException("the disk is full")
                : base.Open(path, opening);
    }
}
