using Assay.TestServers;

namespace Assay.EntityFrameworkIntegration.Tests.Crashes;

/// <summary>A process that starts servers as a test host does, to be killed before it can end them.</summary>
internal static class ServerOwner
{
    private const string Started = "STARTED";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Starts the process, and kills it alone with SIGKILL once its servers run.</summary>
    /// <returns>The servers' folders and ports.</returns>
    public static async Task<(IReadOnlyList<string> Folders, IReadOnlyList<int> Ports)> StartAndKillAsync(Func<IReadOnlyList<string>, Task> whileItLives)
    {
        await using var owner = ServerProcess.Start("dotnet", [typeof(ServerOwner).Assembly.Location, "servers"], AppContext.BaseDirectory);
        await owner.WaitForLineAsync(Started, Limit);
        var told = owner.Log.Single(line => line.StartsWith(Started, StringComparison.Ordinal)).Split(' ');
        await whileItLives(told[1..3]);
        owner.Signal(9);
        await owner.WaitForExitAsync(Limit);
        return (told[1..3], [.. told[3..].Select(port => int.Parse(port, System.Globalization.CultureInfo.InvariantCulture))]);
    }

    public static async Task<int> RunAsync()
    {
        await using var postgres = await PrivatePostgres.StartAsync();
        await using var rabbit = await PrivateRabbitMq.StartAsync();
        Console.WriteLine($"{Started} {postgres.Folder} {rabbit.Folder} {postgres.Port} {rabbit.Port}");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
