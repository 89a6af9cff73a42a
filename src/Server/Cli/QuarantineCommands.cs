using System.CommandLine;
using System.Globalization;
using Pillarbox.ConsoleApi;
using Pillarbox.Storage;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox quarantine …</c> of a running node, and <c>pillarbox data quarantine DIR …</c> of a stopped
/// one.</summary>
internal static class QuarantineCommands
{
    private const string Path = "/api/v1/quarantine";
    private const string ListAbout = "List what is kept, oldest first.";
    private const string ShowAbout = "Show where an entry comes from.";
    private const string ExportAbout = "Write the damaged bytes to a new file.";
    private const string DropAbout = "Delete an entry with its bytes.";
    private const int PieceBytes = 64 << 10;

    /// <summary>The verbs over the API.</summary>
    public static Command Create() => new("quarantine", "Damaged bytes that a node keeps: list, show, export, drop.")
    {
        List(), Show(), Export(), Drop(),
    };

    /// <summary>The verbs over files.</summary>
    public static Command CreateForFiles(Argument<string> directory)
    {
        var command = new Command("quarantine", "Damaged bytes that are kept: list, show, export, drop.")
        {
            directory, ListFiles(directory), ShowFile(directory), ExportFile(directory), DropFile(directory),
        };
        return command;
    }

    private static Argument<long> Id() => new("id") { Description = "The entry's id, as list prints it." };

    private static Argument<string> FileArgument() => new("file") { Description = "The file to make." };

    // ---- a running node -----------------------------------------------------------------------------------------

    private static Command List() => new ApiVerb("list", ListAbout).Reads(async (api, _, cancellation) =>
        Reading(await api.ListAsync(Path, ApiJson.Default.PageQuarantineResource, cancellation)));

    private static Command Show()
    {
        Argument<long> id = Id();
        return new ApiVerb("show", ShowAbout) { id }.Reads(async (api, parsed, cancellation) => Reading(
            await api.GetAsync(PathOf(parsed.GetValue(id)), ApiJson.Default.QuarantineResource, cancellation)));
    }

    private static Command Export()
    {
        Argument<long> id = Id();
        Argument<string> file = FileArgument();
        return new ApiVerb("export", ExportAbout) { id, file }.Does(async (api, parsed, cancellation) =>
        {
            string path = parsed.GetValue(file)!;
            using Stream to = CommandFiles.Create(path);
            try
            {
                await api.DownloadAsync(PathOf(parsed.GetValue(id)) + "/bytes", to, cancellation);
            }
            catch
            {
                CommandFiles.Delete(path);
                throw;
            }
        });
    }

    private static Command Drop()
    {
        Argument<long> id = Id();
        return new ApiVerb("drop", DropAbout) { id }.Does((api, parsed, cancellation) =>
            api.SendAsync(HttpMethod.Delete, PathOf(parsed.GetValue(id)), cancellation));
    }

    private static string PathOf(long id) => string.Create(CultureInfo.InvariantCulture, $"{Path}/{id}");

    // ---- files --------------------------------------------------------------------------------------------------

    private static Command ListFiles(Argument<string> directory)
    {
        Option<OutputFormat> output = Output.Option();
        var command = new Command("list", ListAbout) { output };
        command.SetAction(parsed => Open(parsed, directory, store =>
            Print(Reading([.. store.List().Select(QuarantineResource.Of)]), parsed.GetValue(output))));
        return command;
    }

    private static Command ShowFile(Argument<string> directory)
    {
        Argument<long> id = Id();
        Option<OutputFormat> output = Output.Option();
        var command = new Command("show", ShowAbout) { id, output };
        command.SetAction(parsed => Open(parsed, directory, store =>
        {
            QuarantineEntry entry = store.Find(parsed.GetValue(id)) ?? throw Missing(parsed.GetValue(id));
            Print(Reading(QuarantineResource.Of(entry)), parsed.GetValue(output));
        }));
        return command;
    }

    private static Command ExportFile(Argument<string> directory)
    {
        Argument<long> id = Id();
        Argument<string> file = FileArgument();
        var command = new Command("export", ExportAbout) { id, file };
        command.SetAction(parsed => Open(parsed, directory, store =>
        {
            using QuarantineBytes bytes =
                store.OpenBytes(parsed.GetValue(id)) ?? throw Missing(parsed.GetValue(id));
            using Stream to = CommandFiles.Create(parsed.GetValue(file)!);
            byte[] piece = new byte[PieceBytes];
            for (long at = 0; bytes.Read(at, piece) is > 0 and var read; at += read)
            {
                to.Write(piece, 0, read);
            }
        }));
        return command;
    }

    private static Command DropFile(Argument<string> directory)
    {
        Argument<long> id = Id();
        var command = new Command("drop", DropAbout) { id };
        command.SetAction(parsed => Open(parsed, directory, store =>
        {
            if (!store.Drop(parsed.GetValue(id)))
            {
                throw Missing(parsed.GetValue(id));
            }
        }));
        return command;
    }

    private static int Open(ParseResult parsed, Argument<string> directory, Action<QuarantineStore> act)
    {
        string root = DataFolder.Existing(parsed.GetValue(directory)!);
        using IDisposable held = DiskFileSystem.Instance.LockDirectory(root);
        act(QuarantineStore.Open(DiskFileSystem.Instance, $"{root}/{DataLayout.Quarantine}"));
        return ExitCode.Good;
    }

    private static CommandException Missing(long id) =>
        new(ExitCode.NotFound, $"there is no entry {id} in quarantine");

    // ---- printing -----------------------------------------------------------------------------------------------

    private static void Print(Reading reading, OutputFormat format)
    {
        Action print = format == OutputFormat.Json ? reading.PrintJson : reading.PrintTable;
        print();
    }

    private static Reading Reading(IReadOnlyList<QuarantineResource> entries)
    {
        string[] headings = ["id#", "found", "bytes#", "what", "file", "position#", "of", "reason"];
        var page = new Page<QuarantineResource>(entries, entries.Count, 1, entries.Count);
        return new Reading(
            () => Output.Json(page, ApiJson.Default.PageQuarantineResource),
            () => Output.Table(headings, entries.Select(entry => new[]
            {
                $"{entry.Id}", $"{entry.FoundAt:yyyy-MM-ddTHH:mm:ssZ}", $"{entry.Bytes}", entry.Source, entry.File,
                $"{entry.Position}", OwnerOf(entry), entry.Reason,
            })));
    }

    private static Reading Reading(QuarantineResource entry) => new(
        () => Output.Json(entry, ApiJson.Default.QuarantineResource),
        () => Output.Fields(new (string Name, string? Value)[]
        {
            ("id", $"{entry.Id}"), ("found", $"{entry.FoundAt:yyyy-MM-ddTHH:mm:ssZ}"), ("bytes", $"{entry.Bytes}"),
            ("what", entry.Source), ("file", entry.File), ("position", $"{entry.Position}"),
            ("reason", entry.Reason), ("space", entry.Space), ("address", entry.Address), ("queue", entry.Queue),
            ("message", entry.MessageId?.ToString(CultureInfo.InvariantCulture)), ("stream", entry.Stream),
            ("partition", entry.Partition?.ToString(CultureInfo.InvariantCulture)),
        }.Where(field => !string.IsNullOrEmpty(field.Value)).Select(field => (field.Name, field.Value!))));

    private static string OwnerOf(QuarantineResource entry) =>
        entry.Queue ?? (entry.Stream is null ? entry.Address ?? "" : $"{entry.Stream}-{entry.Partition}");
}
