namespace Pillarbox.Router.LinkState;

/// <summary>Keys of the message annotations that routers write for each other, version 1.</summary>
public static class RouterAnnotations
{
    /// <summary>smallint: the phase of the address, absent when 0.</summary>
    public const string Phase = "x-opt-qd.phase";

    /// <summary>int 1: the message may be larger than memory; pass it on as it comes.</summary>
    public const string Stream = "x-opt-qd.stream";

    /// <summary>string: the address, set where the message entered the network.</summary>
    public const string To = "x-opt-qd.to";

    /// <summary>string: where the message entered the network, e.g. <c>0/A</c>.</summary>
    public const string Ingress = "x-opt-qd.ingress";

    /// <summary>list of strings: the routers that it has left.</summary>
    public const string Trace = "x-opt-qd.trace";

    /// <summary>A router's id as it stands in ingress and trace.</summary>
    public static string NodeId(string id) => $"{ControlAddress.Area}/{id}";
}
