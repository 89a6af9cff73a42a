using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>A change of a resource's settings; both APIs that change settings end here.</summary>
internal static class ConfigChange
{
    /// <summary>Makes the change, given what the settings are now; the function throws nothing and returns a sentence
    /// when it cannot be made.</summary>
    public static async ValueTask<(ErrorCode Error, string? Message)> ApplyAsync(
        KafkaSession session, sbyte type, string name, Func<Dictionary<string, string>, string?> change,
        bool validateOnly)
    {
        if (type == ConfigResources.Group)
        {
            return await ApplyToGroupAsync(session, name, change, validateOnly);
        }

        if (type != ConfigResources.Topic)
        {
            return (ErrorCode.InvalidRequest, "only topics and groups have settings that can be changed here; "
                + "the node's are in its configuration file");
        }

        ErrorCode error = session.Find(name, Guid.Empty, Permission.Edit, out RecordStream? stream);
        if (error != ErrorCode.None)
        {
            return (error, null);
        }

        var given = new Dictionary<string, string>(stream!.Config.Given, StringComparer.Ordinal);
        if (change(given) is { } problem)
        {
            return (ErrorCode.InvalidConfig, problem);
        }

        CatalogResult check = StreamCatalog.CheckConfig(stream, given);
        if (validateOnly || check.Error != StreamError.None)
        {
            return (ErrorCodes.Of(check.Error), check.Message);
        }

        CatalogResult result = session.Streams.SetConfig(session.GrantOf(Permission.Edit, name), stream, given);
        return (await session.WhenDurableAsync(result), result.Message);
    }

    private static async ValueTask<(ErrorCode Error, string? Message)> ApplyToGroupAsync(
        KafkaSession session, string group, Func<Dictionary<string, string>, string?> change, bool validateOnly)
    {
        if (!session.May(Permission.Edit, group, ResourceKind.Group))
        {
            return (ErrorCode.GroupAuthorizationFailed, null);
        }

        GroupConfigResult result = await session.AskAsync<GroupConfigResult>(
            (all, done) => all.Groups.ChangeConfig(group, change, validateOnly, done));
        return ((ErrorCode)result.Error.Code(), result.Message);
    }
}
