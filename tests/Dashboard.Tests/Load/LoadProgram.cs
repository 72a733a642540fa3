namespace Assay.Dashboard.Tests.Load;

/// <summary>Started as a program, this assembly measures; started by a test runner, it tests.</summary>
static class LoadProgram
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["load", .. var rest])
            return await ReadModelLoad.RunAsync(rest);
        if (args is ["screenshots", .. var shots])
            return await Browser.Screenshots.RunAsync(shots);
        await Console.Error.WriteLineAsync("Use: load [audits, 100000] [answers an audit, 100] [listeners, 500]; screenshots LOGIN-LINK FOLDER; or `dotnet test` for the tests.");
        return 2;
    }
}
