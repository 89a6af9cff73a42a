namespace Pillarbox.Storage.Tests;

internal static class Bits
{
    public static void Flip(IFileSystem files, string path, long offset, int bit)
    {
        using IFile file = files.Open(path, FileOpening.ReadWrite);
        Span<byte> one = stackalloc byte[1];
        Assert.Equal(1, file.Read(offset, one));
        one[0] ^= (byte)(1 << bit);
        file.Write(offset, one);
    }
}
