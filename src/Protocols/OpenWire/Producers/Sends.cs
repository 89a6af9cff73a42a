using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>
/// Messages of a connection, to one destination or a list, until their senders are told. Used by the connection's loop
/// alone.
/// </summary>
internal sealed class Sends(
    BrokerClient client, ProducerTable producers, SendRules rules, TransactionCommands transactions,
    Publisher publisher, CommandOutput output)
{
    private readonly SendReports _reports = new();

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
            client.Repeat((producer.Own ?? producers.Relay).Producer, Publisher.Tag);
            return;
        }

        if (producer.Own is { } own && message.Destination == producer.Destination)
        {
            report.Parts = 1;
            _reports.Add(report);
            if (publisher.Publish(new Outgoing(own, message, header, transaction) { NumberedBy = producer.Memory }))
            {
                rules.OnTaken(producer, message);
            }

            return;
        }

        List<DestinationName> names = rules.NamesOf(message.Destination);
        report.Parts = names.Count;
        _reports.Add(report);
        bool isTaken = true;
        for (int i = 0; i < names.Count; i++)
        {
            Outlet relay = names[i].Destination.IsTemporary ? producers.TemporaryRelay : producers.Relay;
            isTaken &= publisher.Publish(new Outgoing(relay, message, header, transaction)
            {
                Relayed = names[i],
                // When the last one is on disk, all are.
                NumberedBy = i == names.Count - 1 ? producer.Memory : null,
            });
        }

        if (isTaken)
        {
            rules.OnTaken(producer, message);
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
}
