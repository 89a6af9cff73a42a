using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox address …</c></summary>
internal static class AddressCommands
{
    private const string Path = "/api/v1/addresses";

    public static Command Create() => new("address", "Addresses: list, show, delete.") { List(), Show(), Delete() };

    /// <summary>The argument of a verb that attaches to an address. An empty one would mean "the message names its
    /// own" to a server, which no verb here does.</summary>
    public static Argument<string> Named(string description)
    {
        var argument = new Argument<string>("address") { Description = description };
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }])
            {
                result.AddError("the address is empty: name a queue, a topic or a stream");
            }
        });
        return argument;
    }

    private static Command List() => new ApiVerb("list", "List addresses.").Reads(async (api, _, cancellation) =>
    {
        var addresses = await api.ListAsync(Path, ApiJson.Default.PageAddressResource, cancellation);
        var page = new Page<AddressResource>(addresses, addresses.Count, 1, addresses.Count);
        return new Reading(
            () => Output.Json(page, ApiJson.Default.PageAddressResource),
            () => Output.Table(["name", "types", "queues#", "routed#", "unrouted#", "state"], addresses.Select(Row)));
    });

    private static string[] Row(AddressResource a) =>
        [a.Name, TypesOf(a), $"{a.Queues.Count}", $"{a.RoutedTotal}", $"{a.UnroutedTotal}", StateOf(a)];

    private static string TypesOf(AddressResource address) =>
        string.Join(',', address.RoutingTypes.Select(t => t.ToString().ToLowerInvariant()));

    private static string StateOf(AddressResource address) =>
        address.Paused ? "paused" : address.Blocked ? "blocked" : "running";

    private static Command Show()
    {
        Argument<string> name = new("address") { Description = "The address." };
        return new ApiVerb("show", "Show one address.") { name }.Reads(async (api, parsed, cancellation) =>
        {
            string path = $"{Path}/{ApiClient.Part(parsed.GetValue(name)!)}";
            AddressResource address = await api.GetAsync(path, ApiJson.Default.AddressResource, cancellation);
            return new Reading(
                () => Output.Json(address, ApiJson.Default.AddressResource),
                () => Output.Fields(
                [
                    ("name", address.Name), ("types", TypesOf(address)), ("state", StateOf(address)),
                    ("queues", string.Join(' ', address.Queues)), ("routed", $"{address.RoutedTotal}"),
                    ("unrouted", $"{address.UnroutedTotal}"),
                ]));
        });
    }

    private static Command Delete()
    {
        Argument<string> name = new("address") { Description = "The address." };
        return new ApiVerb("delete", "Delete an address that has no queues.") { name }.Does(
            (api, parsed, cancellation) => api.SendAsync(
                HttpMethod.Delete, $"{Path}/{ApiClient.Part(parsed.GetValue(name)!)}", cancellation));
    }
}
