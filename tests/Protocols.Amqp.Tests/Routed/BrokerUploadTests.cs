using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Transactions;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

/// <summary>A large message of the network on its way onto a disk that falls behind and catches up.</summary>
public sealed class BrokerUploadTests : IDisposable
{
    private readonly AmqpScene _scene = new();
    private readonly BrokerPort _port;
    private readonly HandDisk _disk = new();
    private readonly BrokerUpload _upload;

    public BrokerUploadTests()
    {
        var options = new AmqpOptions { AssembleBytesMax = 1000 };
        _port = new BrokerPort(new AmqpEnvironment(
            _scene.Broker, options, new SaslServers(null, new SeededRandom(1)), _scene.Clock, NullLogger.Instance,
            new SeededRandom(2)));
        _upload = new BrokerUpload(_port, new RoutedDelivery { Source = null! }, producer: null!, () => _disk);
        _upload.Add(Steps.Message(new string('x', 2000)));
    }

    public void Dispose()
    {
        _port.Dispose();
        _scene.Dispose();
    }

    // The disk catches up, and before anybody has looked it is behind again.
    [Fact]
    public void Disk_that_has_caught_up_and_fallen_behind_again_is_waited_for()
    {
        _disk.IsBehind = true;
        _upload.Add(new byte[100]);
        _disk.CatchUp();
        _disk.IsBehind = true;
        _upload.Add(new byte[100]);
        _upload.End();
        _upload.Look();
        Assert.False(_upload.IsWhole);
        _disk.CatchUp();
        _upload.Look();
        Assert.True(_upload.IsWhole);
        _upload.Publish();
        Assert.True(_disk.IsComplete);
    }

    [Fact]
    public void Message_is_whole_when_its_last_piece_is_on_disk()
    {
        _disk.IsBehind = true;
        _upload.End();
        _upload.Look();
        Assert.False(_upload.IsWhole);
        _disk.CatchUp();
        _upload.Look();
        Assert.True(_upload.IsWhole);
    }

    /// <summary>A file that takes pieces when the test says so.</summary>
    private sealed class HandDisk : LargePublish
    {
        private TaskCompletionSource? _ready;

        public override long Length => 0;

        public bool IsBehind { get; set; }

        public bool IsComplete { get; private set; }

        public void CatchUp()
        {
            IsBehind = false;
            _ready?.SetResult();
            _ready = null;
        }

        public override bool Append(in ReadOnlySequence<byte> piece) => !IsBehind;

        public override ValueTask ReadyAsync(CancellationToken cancellation) =>
            IsBehind ? new ValueTask((_ready ??= new TaskCompletionSource()).Task) : ValueTask.CompletedTask;

        public override bool Finish() => !IsBehind;

        public override BrokerException? Complete(
            in MessageHeader header, ulong tag, string? to = null, Transaction? transaction = null)
        {
            IsComplete = !IsBehind;
            return null;
        }

        public override void Abort()
        {
        }
    }
}
