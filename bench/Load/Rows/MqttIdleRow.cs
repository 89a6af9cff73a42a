using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>
/// What idle MQTT clients take of the node's memory. Their number is the goal's, or as many as the system lets one
/// process have open: the node needs a descriptor for each, the client process too, and the node keeps some for its
/// files.
/// </summary>
internal sealed class MqttIdleRow : ILoadRow
{
    private const int ClientsMax = 20_000;

    // What the node keeps for files, and what either process has open otherwise.
    private const int OtherFiles = 1_500;

    public string Name => "mqtt-idle-20000";

    public string Description => "20,000 idle MQTT clients, or as many as the limit of open files lets there be";

    public bool IsLong => true;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
        [Goal.AtMost("at most 16 KiB for an idle connection", Figure.IdleConnectionKiB, 16)];

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        int clients = (int)Math.Min(ClientsMax, Processes.OpenFilesMax(peer.Pid) - OtherFiles);
        string arguments = string.Create(CultureInfo.InvariantCulture, $"--idle-connections {clients} --in-flight 10");
        Dictionary<string, double> figures =
            await new ProtocolRow("mqtt", Name, Description, arguments).MeasureAsync(peer, options);
        figures[Figure.IdleConnections] = clients;
        return figures;
    }
}
