using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Room on the disk that is kept for one snapshot: without a snapshot a full disk could give no segment back. One
/// owner.
/// </summary>
internal sealed class Ballast
{
    private readonly IFileSystem _files;
    private readonly string _path;
    private readonly int _bytes;
    private bool _isThere;

    public Ballast(IFileSystem files, string directory, int bytes)
    {
        _files = files;
        _path = directory + "/ballast";
        _bytes = bytes;
        _isThere = files.Exists(_path);
        Restore();
    }

    /// <summary>Gives the room free.</summary>
    public void Drop()
    {
        if (_isThere)
        {
            _files.Delete(_path);
            _isThere = false;
        }
    }

    /// <summary>Takes the room back when there is some.</summary>
    public void Restore()
    {
        if (_isThere)
        {
            return;
        }

        try
        {
            using IFile file = _files.Open(_path, FileOpening.OpenOrCreate);
            file.Preallocate(_bytes);
            _isThere = true;
        }
        catch (StorageFullException)
        {
            // Another round tries again.
            _files.Delete(_path);
        }
    }
}
