using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Reading;

/// <summary>
/// An address of the node's own that takes whole, short messages: where readings of a stream are asked for, and the
/// address of each reading. Owned by the port's loop.
/// </summary>
internal abstract class PortOutlet(BrokerPort port) : Outlet
{
    internal override RoutedInbox Inbox => port.Traffic.Inbox;

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        byte[]? answer = null;
        if (delivery.IsWhole)
        {
            try
            {
                answer = Take(delivery.Block.AsSpan(0, delivery.Length)) ? RoutedState.Accepted : null;
            }
            catch (AmqpException fault)
            {
                answer = RoutedState.Rejected(fault.Condition, fault.Message);
            }
        }

        port.Conclude(delivery, answer ?? RoutedState.Rejected(
            AmqpErrorCondition.NotAllowed, "the message is none that is understood here"));
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part) =>
        ArrayPool<byte>.Shared.Return(part.Bytes);

    internal override void OnAbort(RoutedDelivery delivery)
    {
    }

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
    }

    /// <summary>Takes a message; false: it is none of those that are understood. Errors: decode-error.</summary>
    protected abstract bool Take(ReadOnlySpan<byte> message);
}

/// <summary>Where readers of other nodes ask for a reading of a stream of this node's broker.</summary>
internal sealed class StreamDoor : PortOutlet
{
    /// <summary>Readings of all streams at once; further ones are refused.</summary>
    public const int ReadingsMax = 10_000;

    private readonly BrokerPort _port;
    private readonly string _stream;
    private IRoute? _route;

    private StreamDoor(BrokerPort port, string stream)
        : base(port)
    {
        _port = port;
        _stream = stream;
    }

    /// <summary>Tells the network of it.</summary>
    public static StreamDoor Open(BrokerPort port, string stream)
    {
        var door = new StreamDoor(port, stream);
        door._route = port.Network.OpenReceiver(ReaderMessage.DoorOf(stream), door);
        return door;
    }

    /// <summary>The stream is gone, or the node stops; so are its readings.</summary>
    public void Close()
    {
        if (_route is not null)
        {
            _port.Network.CloseReceiver(_route, this);
        }

        _port.Readers.CloseOf(_stream);
    }

    /// <inheritdoc/>
    protected override bool Take(ReadOnlySpan<byte> message)
    {
        if (ReaderMessage.Read(message) is not ("OPEN", { Length: > 0 } replyTo, { } body))
        {
            return false;
        }

        var reader = new StreamReader(_port, _stream, replyTo);
        try
        {
            reader.Begin(OptionsOf(body));
        }
        catch (BrokerException refusal)
        {
            reader.Refuse(BrokerErrors.ToError(refusal));
        }
        catch (AmqpException fault)
        {
            reader.Refuse(new AmqpError { Condition = fault.Condition, Description = fault.Message });
        }

        return true;
    }

    // What the attach of a client of this node would be read as.
    private ConsumerOptions OptionsOf(AmqpMap body)
    {
        if (ReaderMessage.AttachOf(body) is not { } attach)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField, "a reading without an address", AmqpSeverity.Link);
        }

        if (_port.Readers.Count >= ReadingsMax)
        {
            throw new BrokerException(
                BrokerError.ResourceLimitExceeded, $"{ReadingsMax} readers of other nodes read at once");
        }

        TerminusName name = TerminusName.Parse(attach.Source!.Address, _port.Options);
        SourceFilters filters = SourceFilters.Parse(attach.Source.Filter, _port.NowMs);
        if (StreamSource.Read(_port.Client, attach, name, filters) is not { } reading || reading.Stream != _stream)
        {
            throw new BrokerException(
                BrokerError.NotFound, $"'{attach.Source.Address}' is no reading of the stream '{_stream}'");
        }

        return new ConsumerOptions
        {
            Queue = reading.Stream,
            Stream = reading,
            Selector = filters.Selector,
            Name = attach.Name,
            Format = Model.PayloadFormat.Amqp,
        };
    }
}
