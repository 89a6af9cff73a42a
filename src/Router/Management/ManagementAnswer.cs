using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Schema;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>
/// What the agent makes of a request: a reply, or a command that the router's owner has to carry out before there is
/// one.
/// </summary>
public sealed record ManagementAnswer
{
    /// <summary>The reply; null: there is a command first.</summary>
    public ManagementReply? Reply { get; init; }

    /// <summary>The command, or null.</summary>
    public RouterCommand? Command { get; init; }

    /// <summary>The reply to a command.</summary>
    /// <param name="result">What became of it.</param>
    public ManagementReply ReplyAfter(CommandResult result)
    {
        if (result.Fault is not null)
        {
            return ManagementReply.Failed(result.Status, result.Fault);
        }
        int status = Command switch
        {
            CreateEntity => ManagementStatus.Created,
            DeleteEntity => ManagementStatus.NoContent,
            _ => ManagementStatus.Ok,
        };
        return ManagementReply.Ok(AmqpValue.Map(Command is DeleteEntity ? new AmqpMap() : BodyOf(result.Made)), status);
    }

    private AmqpMap BodyOf(ConfiguredEntity? made)
    {
        if (made is not null && EntityCatalog.Find(made.Type) is { } type)
        {
            return type.MapOf(made);
        }
        AmqpMap body = new();
        switch (Command)
        {
            case SetLinkEnabled link:
                body.Add("identity", link.LinkId.ToString());
                body.Add("adminStatus", link.Enabled ? "enabled" : "disabled");
                break;
            case CloseConnection connection:
                body.Add("identity", connection.ConnectionId.ToString());
                body.Add("adminStatus", "deleted");
                break;
            case SetConnectionTrace trace:
                body.Add("identity", trace.ConnectionId.ToString());
                body.Add("enableProtocolTrace", trace.Enabled);
                break;
        }
        return body;
    }
}
