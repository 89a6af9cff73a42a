using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>
/// What a peer may rely on in the node's frames, whatever it sent itself: sessions and links are there before they are
/// spoken of and not spoken of afterwards, delivery-ids are consecutive, no frame is larger than the peer takes.
/// </summary>
internal sealed class AnswerRules(uint frameBytesMax)
{
    private readonly Dictionary<ushort, Session> _sessions = [];
    private readonly List<ReceivedFrame> _told = [];
    private bool _isOpen;
    private bool _isClosed;

    /// <summary>The max-frame-size in the open of what a peer sent; without a readable open, no limit.</summary>
    public static uint FrameBytesMaxOf(ReadOnlySpan<byte> sent)
    {
        int header = sent.IndexOf(ProtocolHeader.Amqp);
        int body = header + ProtocolHeader.Bytes + FrameHeader.Bytes;
        if (header < 0 || body >= sent.Length)
        {
            return uint.MaxValue;
        }

        var reader = new AmqpReader(sent[body..]);
        try
        {
            return reader.PeekDescriptor() == Open.DescriptorCode
                ? Math.Max(Open.Read(ref reader).MaxFrameSize, WireLimits.FrameBytesMin)
                : uint.MaxValue;
        }
        catch (AmqpException)
        {
            return uint.MaxValue;
        }
    }

    /// <summary>Checks the next frame of the node. Throws when it breaks a rule.</summary>
    public void Take(ReceivedFrame frame)
    {
        try
        {
            Check(frame);
            _told.Add(frame);
        }
        catch (InvalidOperationException broken)
        {
            throw new InvalidOperationException($"{broken.Message}; before: {string.Join(' ', _told)}", broken);
        }
    }

    private void Check(ReceivedFrame frame)
    {
        if (frame.Descriptor == 0 || frame.Header.Type == FrameType.Sasl)
        {
            return;
        }

        Require(!_isClosed, "after close", frame);
        Require(frame.Header.Size <= frameBytesMax, $"of {frame.Header.Size} bytes, {frameBytesMax} allowed", frame);
        switch (frame.Descriptor)
        {
            case Open.DescriptorCode:
                Require(!_isOpen, "twice", frame);
                _isOpen = true;
                break;
            case Close.DescriptorCode:
                Require(_isOpen, "before open", frame);
                _isClosed = true;
                break;
            case Begin.DescriptorCode:
                Require(_isOpen && _sessions.TryAdd(frame.Header.Channel, new Session()), "out of place", frame);
                break;
            case End.DescriptorCode:
                Require(_sessions.Remove(frame.Header.Channel), "without a session", frame);
                break;
            default:
                Require(_sessions.TryGetValue(frame.Header.Channel, out Session? session), "without a session", frame);
                session!.Take(frame);
                break;
        }
    }

    private static void Require(bool holds, string what, ReceivedFrame frame)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"the node sent {frame} {what} on channel {frame.Header.Channel}");
        }
    }

    private sealed class Session
    {
        private readonly Dictionary<uint, Role> _links = [];
        private readonly Dictionary<uint, bool> _inDelivery = [];
        private uint _nextId;

        public void Take(ReceivedFrame frame)
        {
            switch (frame.Descriptor)
            {
                case Attach.DescriptorCode:
                    Attach attach = frame.AsAttach();
                    Require(_links.TryAdd(attach.Handle, attach.Role), $"twice for handle {attach.Handle}", frame);
                    break;
                case Detach.DescriptorCode:
                    uint handle = frame.AsDetach().Handle;
                    Require(_links.Remove(handle), $"without a link at handle {handle}", frame);
                    _inDelivery.Remove(handle);
                    break;
                case Flow.DescriptorCode when frame.AsFlow().Handle is { } named:
                    Require(_links.ContainsKey(named), $"for handle {named}, where no link is", frame);
                    break;
                case Transfer.DescriptorCode:
                    TakeTransfer(frame);
                    break;
                case Disposition.DescriptorCode:
                    TakeDisposition(frame);
                    break;
            }
        }

        private void TakeTransfer(ReceivedFrame frame)
        {
            Transfer transfer = frame.AsTransfer(out _);
            Require(
                _links.TryGetValue(transfer.Handle, out Role role) && role == Role.Sender,
                $"for handle {transfer.Handle}, where no sender is", frame);
            if (!_inDelivery.GetValueOrDefault(transfer.Handle))
            {
                Require(transfer.DeliveryId == _nextId, $"with id {transfer.DeliveryId}, {_nextId} is next", frame);
                Require(transfer.DeliveryTag.Length is > 0 and <= 32, "without a tag", frame);
                _nextId++;
            }

            _inDelivery[transfer.Handle] = transfer.More && !transfer.Aborted;
        }

        private void TakeDisposition(ReceivedFrame frame)
        {
            Disposition disposition = frame.AsDisposition();
            uint last = disposition.Last ?? disposition.First;
            Require(
                disposition.Role == Role.Receiver || (disposition.First <= last && last < _nextId),
                $"of {disposition.First} to {last}, {_nextId} is next", frame);
        }
    }
}
