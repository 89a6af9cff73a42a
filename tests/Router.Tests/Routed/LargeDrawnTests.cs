using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Messages that are too long for memory, out of the node's own broker into the network.</summary>
public sealed class LargeDrawnTests : IDisposable
{
    // As the network knows it; without the scheme the broker would serve the client itself.
    private const string Address = "amqp:/big";

    private const int Pieces = 256;
    private const int PieceBytes = 32 << 10;

    private readonly RoutedScene _scene;
    private MeteredFiles _files = null!;

    public LargeDrawnTests()
    {
        _scene = new RoutedScene(
            RouterMode.Interior,
            options => options with { FileSystem = _files = new MeteredFiles(options.FileSystem) });
        AmqpPeer maker = _scene.Client();
        maker.AttachSender(0, "queue://big");
        _scene.Node.Advance(1000);
        Publish(maker);
    }

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void It_comes_whole_and_the_next_one_behind_it()
    {
        AmqpPeer receiver = _scene.Receiver(Address);
        AmqpPeer other = _scene.Client();
        other.AttachSender(0, "queue://big");
        other.Transfer(0, 0, Steps.Message("behind"));
        byte[] message = Take(receiver, out bool isAborted);
        Assert.False(isAborted);
        AmqpMessage read = AmqpMessage.Read(message);
        Assert.Equal(Pieces * PieceBytes, read.Data.Length);
        Assert.Equal(Body(), read.Data.ToArray());
        Assert.Equal("behind", Steps.BodyOf(Take(receiver, out _)));
    }

    [Fact]
    public void No_more_is_read_than_the_receiver_takes()
    {
        AmqpPeer receiver = Slow(out Action open);
        // Its beginning, and eight pieces ahead; a file is read in pieces of its own.
        const long most = (2 + 8 + 3) * (64 << 10);
        Assert.InRange(_files.BytesRead, 1, most);
        Assert.True(most < Pieces * PieceBytes / 4, "the test's message is too short");

        int bytes = 0;
        bool more = true;
        while (more)
        {
            foreach (ReceivedFrame frame in TakeFrames(receiver))
            {
                more &= frame.AsTransfer(out byte[] payload).More;
                bytes += payload.Length;
            }

            open();
        }

        Assert.True(bytes > Pieces * PieceBytes);
    }

    [Fact]
    public void A_receiver_that_is_gone_in_the_middle_gives_it_back()
    {
        AmqpPeer receiver = Slow(out _);
        receiver.Cut();
        byte[] message = Take(_scene.Receiver(Address), out bool isAborted);
        Assert.False(isAborted);
        AmqpMessage read = AmqpMessage.Read(message);
        Assert.Equal(Body(), read.Data.ToArray());
        // It was begun once before.
        Assert.Equal(1u, read.Header?.DeliveryCount);
    }

    [Fact]
    public void A_file_that_breaks_in_the_middle_aborts_the_message()
    {
        AmqpPeer receiver = Slow(out Action open);
        _files.IsBroken = true;
        bool isAborted = false;
        for (int i = 0; i < 100 && !isAborted; i++)
        {
            open();
            isAborted = TakeFrames(receiver).Any(frame => frame.AsTransfer(out _).Aborted);
        }

        Assert.True(isAborted);
    }

    private static byte[] Body() => [.. Enumerable.Range(0, Pieces).SelectMany(PieceOf)];

    private static byte[] PieceOf(int number) => [.. Enumerable.Repeat((byte)number, PieceBytes)];

    private static List<ReceivedFrame> TakeFrames(AmqpPeer receiver)
    {
        List<ReceivedFrame> frames = [];
        while (receiver.Frames.Count > 0)
        {
            ReceivedFrame frame = receiver.Next();
            if (frame.Descriptor == Transfer.DescriptorCode)
            {
                frames.Add(frame);
            }
        }

        return frames;
    }

    private static byte[] Take(AmqpPeer receiver, out bool isAborted)
    {
        List<byte> message = [];
        Transfer transfer;
        do
        {
            ReceivedFrame frame = receiver.Next();
            while (frame.Descriptor != Transfer.DescriptorCode)
            {
                frame = receiver.Next();
            }

            transfer = frame.AsTransfer(out byte[] payload);
            message.AddRange(payload);
            isAborted = transfer.Aborted;
        }
        while (transfer.More);

        return [.. message];
    }

    private static void Publish(AmqpPeer sender)
    {
        int length = Pieces * PieceBytes;
        byte[] head =
        [
            0x00, 0x53, 0x70, 0xc0, 0x02, 0x01, 0x41,
            0x00, 0x53, 0x75, 0xb0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length,
        ];
        sender.Transfer(0, 0, head, more: true);
        for (int i = 0; i < Pieces; i++)
        {
            sender.Transfer(0, 0, PieceOf(i), more: i < Pieces - 1);
        }

        sender.TakeAll();
    }

    // A receiver whose session takes two frames at a time.
    private AmqpPeer Slow(out Action open)
    {
        uint window = 2;
        AmqpPeer peer = _scene.Node.InSession(Steps.Begin with { IncomingWindow = window });
        peer.AttachReceiver(0, Address);
        uint taken = 0;
        void Open()
        {
            taken += window;
            peer.Send(FrameBytes.Of(new Flow
            {
                NextIncomingId = taken,
                IncomingWindow = window,
                NextOutgoingId = 0,
                OutgoingWindow = 1000,
            }));
        }

        peer.Send(FrameBytes.Of(new Flow
        {
            NextIncomingId = 0,
            IncomingWindow = window,
            NextOutgoingId = 0,
            OutgoingWindow = 1000,
            Handle = 0,
            DeliveryCount = 0,
            LinkCredit = 10,
        }));
        open = Open;
        return peer;
    }
}
