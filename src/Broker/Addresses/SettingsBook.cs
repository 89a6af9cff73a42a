namespace Pillarbox.Broker.Addresses;

/// <summary>Address settings by pattern, simplest form: the exact name, else <c>#</c>.</summary>
internal sealed class SettingsBook(IReadOnlyDictionary<string, AddressSettings> settings)
{
    private static readonly AddressSettings None = new();

    public AddressSettings For(string address) =>
        settings.TryGetValue(address, out AddressSettings? exact) || settings.TryGetValue("#", out exact) ? exact : None;
}
