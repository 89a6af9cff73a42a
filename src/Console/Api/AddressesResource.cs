using Pillarbox.Broker;
using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/addresses</c>: list, show, delete.</summary>
internal static class AddressesResource
{
    private const string One = "/api/v1/addresses/{address}";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/addresses", "Addresses by name.", ListAsync)
        {
            Answer = ApiJson.Default.PageAddressResource,
            Query = Paging.Parameters,
        },
        new("GET", One, "One address.", ShowAsync) { Answer = ApiJson.Default.AddressResource },
        new("DELETE", One, "Deletes an address that has no queues.", DeleteAsync) { Status = 204 },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        var addresses = await request.Management.ListAddressesAsync(request.Who, request.Space);
        Page<AddressResource> page = Paging.Cut(request, addresses, a => a.Name, Show);
        await request.AnswerAsync(page, ApiJson.Default.PageAddressResource);
    }

    private static async Task ShowAsync(ApiRequest request)
    {
        string name = request.Segment("address");
        var addresses = await request.Management.ListAddressesAsync(request.Who, request.Space);
        AddressView address = addresses.FirstOrDefault(a => a.Name == name)
            ?? throw new BrokerException(BrokerError.NotFound, $"there is no address '{name}'");
        await request.AnswerAsync(Show(address), ApiJson.Default.AddressResource);
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        await request.Management.DeleteAddressAsync(request.Who, request.Space, request.Segment("address"));
        await request.AnswerAsync();
    }

    private static AddressResource Show(AddressView address) => new()
    {
        Name = address.Name,
        RoutingTypes = address.RoutingTypes,
        Queues = address.Queues,
        Paused = address.Paused,
        Blocked = address.Blocked,
        RoutedTotal = address.RoutedTotal,
        UnroutedTotal = address.UnroutedTotal,
        Settings = address.Settings,
    };
}
