using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>
/// Messages of a connection on their way into the broker, until their senders are told: to one destination or a list,
/// large ones by way of a file. Used by the connection's loop alone.
/// </summary>
internal sealed class Sends(
    BrokerClient client, ProducerTable producers, SendRules rules, TransactionCommands transactions,
    OpenWireMessageMap map, CommandOutput output, InputHold hold, OpenWireOptions options)
{
    // The broker tells the end of every send with this tag; which one it is, the order says.
    private const ulong SendTag = 1;

    private readonly SendReports _reports = new();
    private readonly Queue<LargeSend> _large = new();

    private sealed record LargeSend(LargePublish Publish, Outgoing Send);

    /// <summary>Takes a message; its sender is told by <see cref="OnPublished"/>.</summary>
    /// <exception cref="OpenWireException">It cannot go where it is to go, or is none.</exception>
    /// <exception cref="BrokerException">It is refused at once.</exception>
    public void Take(Message message, long nowMs)
    {
        ProducerEndpoint producer = producers.Find(message.ProducerId);
        if (message.Destination is null || message.MessageId is null)
        {
            throw new OpenWireException("a message without destination or id");
        }

        OpenTransaction? transaction = transactions.Find(message.TransactionId);
        MessageHeader header = OpenWireMessageMap.ToHeader(message, nowMs);
        var report = new SendReport
        {
            CommandId = message.CommandId,
            ResponseRequired = message.ResponseRequired,
            Producer = producer,
            Bytes = message.AccountedBytes,
        };
        if (rules.IsRepeated(producer, message))
        {
            report.Parts = 1;
            _reports.Add(report);
            client.Repeat((producer.Own ?? producers.Relay).Producer, SendTag);
            return;
        }

        if (producer.Own is { } own && message.Destination == producer.Destination)
        {
            report.Parts = 1;
            _reports.Add(report);
            Publish(new Outgoing(own, message, header, transaction) { NumberedBy = producer.Memory });
            return;
        }

        List<DestinationName> names = rules.NamesOf(message.Destination);
        report.Parts = names.Count;
        _reports.Add(report);
        Outlet relay = producers.Relay;
        for (int i = 0; i < names.Count; i++)
        {
            Publish(new Outgoing(relay, message, header, transaction)
            {
                Relayed = names[i],
                // When the last one is on disk, all are.
                NumberedBy = i == names.Count - 1 ? producer.Memory : null,
            });
        }
    }

    /// <summary>The oldest publish that was not told has ended; with the last one of a message its sender is told.
    /// </summary>
    public void OnPublished(BrokerException? error)
    {
        if (!_reports.OnPublished(error, out SendReport send))
        {
            return;
        }

        if (send.ResponseRequired && send.Error is null)
        {
            output.Respond(send.CommandId);
        }
        else if (send.ResponseRequired)
        {
            output.Respond(send.CommandId, BrokerErrors.ToThrowable(send.Error!));
        }
        else if (send.Error is not null)
        {
            output.TellError(BrokerErrors.ToThrowable(send.Error));
        }

        if (send.Producer.HasWindow && !send.ResponseRequired)
        {
            output.Write(new ProducerAck { ProducerId = send.Producer.Id, Size = send.Bytes });
        }
    }

    private void Publish(in Outgoing send)
    {
        Outlet outlet = send.Outlet;
        ReadOnlyMemory<byte> payload = map.ToPayload(
            send.Message, send.Relayed?.Destination ?? send.Message.Destination!);
        producers.Spend(outlet);
        if (send.Relayed is not null)
        {
            outlet.Producer.RelayRoutingType = send.Relayed.RoutingType;
        }

        if (payload.Length >= options.LargeMessageBytesMin)
        {
            PublishLarge(send, payload);
            return;
        }

        send.Number();
        BrokerException? refusal = client.Publish(
            outlet.Producer, send.Header, new ReadOnlySequence<byte>(payload), SendTag, send.To,
            send.Transaction?.Transaction);
        send.Transaction?.Transaction.Fail(refusal);
    }

    // Its bytes are on their way to a file; nothing further is read until they are there.
    private void PublishLarge(in Outgoing send, ReadOnlyMemory<byte> payload)
    {
        LargePublish large = client.BeginLarge(send.Outlet.Producer);
        large.Append(new ReadOnlySequence<byte>(payload));
        _large.Enqueue(new LargeSend(large, send));
        FinishLarge();
    }

    private void FinishLarge()
    {
        while (_large.TryPeek(out LargeSend? large))
        {
            if (!large.Publish.Finish())
            {
                hold.Until(large.Publish.ReadyAsync(CancellationToken.None).AsTask(), FinishLarge);
                return;
            }

            _large.Dequeue();
            Outgoing send = large.Send;
            if (producers.IsRelay(send.Outlet))
            {
                send.Outlet.Producer.RelayRoutingType = send.Relayed?.RoutingType;
            }

            send.Number();
            BrokerException? refusal = large.Publish.Complete(
                send.Header, SendTag, send.To, send.Transaction?.Transaction);
            send.Transaction?.Transaction.Fail(refusal);
        }
    }
}
