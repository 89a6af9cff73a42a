using Pillarbox.Broker.Quotas;

namespace Pillarbox.Protocols.Kafka;

/// <summary>Whom a quota is for, as the protocol writes it: a list of types and names, without a name for the default.
/// </summary>
internal static class QuotaEntities
{
    public const string User = "user";
    public const string ClientId = "client-id";

    /// <summary>The entity of a list; a sentence says what is wrong with it.</summary>
    public static string? Read<T>(
        T[] parts, Func<T, (string Type, string? Name)> read, out QuotaEntity entity)
    {
        entity = default;
        foreach (T part in parts)
        {
            (string type, string? name) = read(part);
            QuotaPart wanted = name is null ? QuotaPart.Default : QuotaPart.Of(name);
            bool twice = type == User ? entity.User != default : type == ClientId && entity.Client != default;
            if (twice || name?.Length == 0)
            {
                return twice ? $"the entity names {type} twice" : $"the name of the {type} is empty";
            }

            switch (type)
            {
                case User:
                    entity = entity with { User = wanted };
                    break;
                case ClientId:
                    entity = entity with { Client = wanted };
                    break;
                default:
                    return $"entities of type '{type}' have no quotas here: only {User} and {ClientId} do";
            }
        }

        return entity == default ? "the entity is empty" : null;
    }

    /// <summary>The list of an entity.</summary>
    public static T[] Write<T>(QuotaEntity entity, Func<string, string?, T> write)
    {
        var parts = new List<T>(2);
        if (entity.User.Scope != QuotaScope.Absent)
        {
            parts.Add(write(User, entity.User.Name));
        }

        if (entity.Client.Scope != QuotaScope.Absent)
        {
            parts.Add(write(ClientId, entity.Client.Name));
        }

        return [.. parts];
    }
}
