namespace Pillarbox.Protocols.OpenWire.Transactions;

/// <summary>What the broker hands back with the end of a settlement: the command that waits for it.</summary>
internal static class SettlementTag
{
    private const ulong PreparedBit = 1UL << 40;

    /// <summary>Of an acknowledgement, or of the end of a branch.</summary>
    public static ulong Of(int commandId) => (uint)commandId + 1UL;

    /// <summary>Of a prepare.</summary>
    public static ulong OfPrepare(int commandId) => PreparedBit | (uint)commandId;

    /// <summary>Whether it is a prepare's; the command.</summary>
    public static bool IsPrepare(ulong tag, out int commandId)
    {
        bool isPrepare = (tag & PreparedBit) != 0;
        commandId = (int)(uint)(isPrepare ? tag : tag - 1);
        return isPrepare;
    }
}
