using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Logins;

/// <summary>The addresses that a login service lets a client use; names, of which those that end in <c>*</c> are
/// beginnings.</summary>
public sealed record LoginRights(AllowedAddresses Sources, AllowedAddresses Targets);

/// <summary>
/// What the open of a login service says in its properties:
///
///     authenticated-identity   map: sub, preferred_username
///     address-authz            map of addresses, each with an array (or list) of "send" and "recv"; absent: all are
///                              allowed
/// </summary>
/// <param name="User">Who has logged in; null: it does not say.</param>
/// <param name="Rights">What is allowed; null: everything.</param>
internal sealed record LoginAnswer(string? User, LoginRights? Rights)
{
    /// <summary>The capability that asks for <c>address-authz</c>.</summary>
    public const string Capability = "ADDRESS-AUTHZ";

    private const int AddressesMax = 10_000;

    /// <summary>Reads it. Errors: not-allowed, when it names more addresses than are taken.</summary>
    public static LoginAnswer Read(Open open) => new(UserOf(open.Properties), RightsOf(open.Properties));

    private static string? UserOf(AmqpMap? properties)
    {
        if (properties is null || !properties.TryGet("authenticated-identity", out AmqpValue identity)
            || identity.AsMap() is not { } map)
        {
            return null;
        }

        return TextOf(map, "sub") ?? TextOf(map, "preferred_username");
    }

    private static string? TextOf(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) && value.AsText() is { Length: > 0 } text ? text : null;

    private static LoginRights? RightsOf(AmqpMap? properties)
    {
        if (properties is null || !properties.TryGet("address-authz", out AmqpValue value)
            || value.AsMap() is not { } map)
        {
            return null;
        }

        List<string> sources = [];
        List<string> targets = [];
        foreach ((AmqpValue key, AmqpValue given) in map)
        {
            if (sources.Count + targets.Count > AddressesMax)
            {
                throw new AmqpException(
                    AmqpErrorCondition.NotAllowed, $"the login service names more than {AddressesMax} addresses");
            }

            if (key.AsText() is { } address)
            {
                Add(address, given, "recv", sources);
                Add(address, given, "send", targets);
            }
        }

        return new LoginRights(AllowedAddresses.OfNames(sources), AllowedAddresses.OfNames(targets));
    }

    private static void Add(string address, in AmqpValue given, string right, List<string> into)
    {
        IReadOnlyList<AmqpValue> words = given.AsArray()?.Items ?? given.AsList();
        if (words.Any(word => word.AsText() == right))
        {
            into.Add(address);
        }
    }
}
