using System.CommandLine;
using Assay.Dashboard.Access;
using Assay.Embedded.Cli;
using Assay.Embedded.Host;

namespace Assay.Embedded.Operations;

/// <summary><c>assay key create</c>: makes an access key; its secret is shown once.</summary>
static class KeyCommand
{
    public static Command Create(CliContext cli, SystemOptions target)
    {
        var role = new Option<string>("--role") { Description = "viewer reads, producer requests audits, operator does everything", Required = true, HelpName = "ROLE" };
        role.AcceptOnlyFromAmong("viewer", "producer", "operator");
        var name = new Option<string>("--name") { Description = "Whose key it is", Required = true, HelpName = "NAME" };
        var create = new Command("create", "Make an access key; its secret is shown once, on standard output") { role, name };
        create.SetAction(async (parsed, cancellationToken) =>
        {
            var (chosenRole, chosenName) = (parsed.GetValue(role)!, parsed.GetValue(name)!.Trim());
            if (chosenName.Length == 0)
                throw CommandError.BadInput("--name is empty.", "Say whose key it is; it is shown in every list and log.");
            await using var system = await AssaySystem.ConnectAsync(cli, target.Read(parsed, cli), "key create", cancellationToken);
            var secret = system.Own is { } own
                ? (await own.Services.GetRequiredService<IKeyStore>().CreateKeyAsync(chosenRole, chosenName, cancellationToken)).Secret
                : (await system.Api.CreateKeyAsync(chosenRole, chosenName, cancellationToken)).Secret;
            await cli.Out.WriteLineAsync(secret);
            await cli.NoteAsync($"key of {chosenName} with role {chosenRole}; it is not shown again. Use it as Authorization: Bearer, with --key or as ASSAY_KEY.");
            return ExitCodes.Done;
        });
        return new Command("key", "Access keys") { create };
    }
}
