namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// The first command of each side, always in version 1, loose, with its size: what it can and wants. Unlike all other
/// commands it has no number.
/// </summary>
internal sealed class WireFormatInfo : IDataStructure
{
    /// <summary>How it begins.</summary>
    public static ReadOnlySpan<byte> Magic => "ActiveMQ"u8;

    private readonly byte[] _magic = Magic.ToArray();
    private ReadOnlyMemory<byte>? _properties;

    public int Version = WireLimits.VersionMax;

    public DataType Type => DataType.WireFormatInfo;

    public bool IsValid => Magic.SequenceEqual(_magic);

    public bool StackTraceEnabled { get; set; }

    public bool CacheEnabled { get; set; }

    public bool TcpNoDelayEnabled { get; set; } = true;

    public bool TightEncodingEnabled { get; set; }

    public bool SizePrefixDisabled { get; set; }

    public int CacheSize { get; set; }

    public long MaxInactivityDurationMs { get; set; }

    public long MaxInactivityInitialDelayMs { get; set; }

    public long MaxFrameSize { get; set; }

    public string? ProviderName { get; set; }

    public string? ProviderVersion { get; set; }

    /// <summary>The host that the client wanted to reach; selects an address space.</summary>
    public string? Host { get; set; }

    public void Visit(WireFields fields)
    {
        fields.Fixed(_magic);
        fields.Int(ref Version);
        fields.Bytes(ref _properties);
        if (_properties is { } properties)
        {
            ReadProperties(properties);
        }
    }

    /// <summary>Makes the bytes of the properties; before it is written.</summary>
    public WireFormatInfo Seal()
    {
        var writer = new PrimitiveWriter();
        writer.WriteCount(11);
        writer.Write("TcpNoDelayEnabled", TcpNoDelayEnabled);
        writer.Write("SizePrefixDisabled", SizePrefixDisabled);
        writer.Write("CacheSize", CacheSize);
        writer.Write("StackTraceEnabled", StackTraceEnabled);
        writer.Write("CacheEnabled", CacheEnabled);
        writer.Write("TightEncodingEnabled", TightEncodingEnabled);
        writer.Write("MaxFrameSize", MaxFrameSize);
        writer.Write("MaxInactivityDuration", MaxInactivityDurationMs);
        writer.Write("MaxInactivityDurationInitalDelay", MaxInactivityInitialDelayMs);
        writer.Write("ProviderName", ProviderName ?? "");
        writer.Write("ProviderVersion", ProviderVersion ?? "");
        _properties = writer.ToArray();
        return this;
    }

    private void ReadProperties(ReadOnlyMemory<byte> properties)
    {
        var reader = new PrimitiveReader(properties);
        int count = reader.ReadCount();
        for (int i = 0; i < count; i++)
        {
            string name = JavaText.Decode(reader.ReadName().Span);
            Set(name, reader.ReadValue());
        }
    }

    private void Set(string name, in Primitive value)
    {
        switch (name)
        {
            case "TcpNoDelayEnabled":
                TcpNoDelayEnabled = value.AsBoolean;
                break;
            case "SizePrefixDisabled":
                SizePrefixDisabled = value.AsBoolean;
                break;
            case "CacheSize":
                CacheSize = (int)value.AsLong;
                break;
            case "StackTraceEnabled":
                StackTraceEnabled = value.AsBoolean;
                break;
            case "CacheEnabled":
                CacheEnabled = value.AsBoolean;
                break;
            case "TightEncodingEnabled":
                TightEncodingEnabled = value.AsBoolean;
                break;
            default:
                SetMore(name, value);
                break;
        }
    }

    private void SetMore(string name, in Primitive value)
    {
        switch (name)
        {
            case "MaxFrameSize":
                MaxFrameSize = value.AsLong;
                break;
            case "MaxInactivityDuration":
                MaxInactivityDurationMs = value.AsLong;
                break;
            case "MaxInactivityDurationInitalDelay":
                MaxInactivityInitialDelayMs = value.AsLong;
                break;
            case "Host":
                Host = value.AsText;
                break;
            case "ProviderName":
                ProviderName = value.AsText;
                break;
            case "ProviderVersion":
                ProviderVersion = value.AsText;
                break;
        }
    }
}
