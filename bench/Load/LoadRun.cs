using Pillarbox.Load.Peers;
using Pillarbox.Load.Rows;

namespace Pillarbox.Load;

/// <summary>Goes through the rows; within a row the peers take turns, run by run.</summary>
internal static class LoadRun
{
    // A fault's stack is about that long.
    private const int LinesOfFailure = 40;

    public static async Task<int> RunAsync(LoadOptions options)
    {
        if (options.Install)
        {
            PeerStarts.Install(options.Peers);
        }
        LoadReport report = new(options);
        bool failed = false;
        foreach (ILoadRow row in options.Rows)
        {
            RowResult result = await MeasureRowAsync(row, options, report);
            report.Add(row, result);
            failed |= result.Failures.Count > 0;
            Console.WriteLine();
            Console.WriteLine(report.RowText(row, result));
        }
        report.Write();
        return failed ? 1 : 0;
    }

    private static async Task<RowResult> MeasureRowAsync(ILoadRow row, LoadOptions options, LoadReport report)
    {
        RowResult result = new();
        List<IPeer> peers = [];
        try
        {
            foreach (string name in row.Peers.Where(options.Peers.Contains).Where(PeerStarts.IsInstalled))
            {
                IPeer peer = await PeerStarts.StartAsync(name, options);
                peers.Add(peer);
                report.AddVersion(peer.Version);
            }
            for (int run = 0; run < (row.IsLong ? 1 : options.Runs); run++)
            {
                foreach (IPeer peer in peers)
                {
                    await MeasureAsync(row, peer, options, result);
                }
            }
        }
        finally
        {
            foreach (IPeer peer in peers)
            {
                await peer.DisposeAsync();
            }
        }
        return result;
    }

    private static async Task MeasureAsync(ILoadRow row, IPeer peer, LoadOptions options, RowResult result)
    {
        try
        {
            Dictionary<string, double> figures = await row.MeasureAsync(peer, options);
            result.Add(peer.Name, figures);
            Console.WriteLine($"{row.Name} {peer.Name}: "
                + string.Join(", ", figures.Select(f => $"{f.Key} {f.Value:0.##}")));
        }
        catch (InvalidOperationException e)
        {
            result.AddFailure(peer.Name);
            Console.WriteLine($"{row.Name} {peer.Name}: FAILED {e.Message.Trim()}");
            foreach (string line in peer.Lines.TakeLast(LinesOfFailure))
            {
                Console.WriteLine($"  {peer.Name} printed: {line}");
            }
        }
    }
}
