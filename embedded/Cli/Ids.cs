using System.CommandLine;

namespace Assay.Embedded.Cli;

/// <summary>Audit ids on the command line.</summary>
static class Ids
{
    public static Argument<string> Argument() => new("AUDIT_ID") { Description = "Id of the audit; `assay list` shows them" };

    public static Guid Parse(string text) =>
        Guid.TryParse(text, out var id) && id != Guid.Empty ? id : throw CommandError.BadInput($"'{text}' is not the id of an audit.", "It is a UUID; `assay list` shows them.");
}
