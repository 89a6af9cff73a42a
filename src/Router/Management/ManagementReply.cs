using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management;

/// <summary>The answer to a request.</summary>
/// <param name="Status">One of <see cref="ManagementStatus"/>.</param>
/// <param name="Description">For people.</param>
/// <param name="Body">A map, or what the operation promises.</param>
public sealed record ManagementReply(int Status, string Description, AmqpValue Body)
{
    public static ManagementReply Ok(AmqpValue body, int status = ManagementStatus.Ok) =>
        new(status, ManagementStatus.TextOf(status), body);

    public static ManagementReply Failed(int status, string description) =>
        new(status, description, AmqpValue.Map(new AmqpMap()));

    /// <summary>The message to send to the request's reply-to address.</summary>
    public AmqpMessage ToMessage(ManagementRequest request)
    {
        AmqpMap properties = new();
        properties.Add("statusCode", Status);
        properties.Add("statusDescription", Description);
        return AmqpMessage.FromValue(Body) with
        {
            Properties = new MessageProperties
            {
                To = request.ReplyTo,
                CorrelationId = request.CorrelationId.IsNull ? (AmqpValue?)null : request.CorrelationId,
            },
            ApplicationProperties = properties,
        };
    }
}
