namespace Assay.Embedded.Tests;

static class Repository
{
    /// <summary>The folder that holds the solution, found upwards from the test's own.</summary>
    public static string Root { get; } = Find();

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Assay.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"No Assay.slnx above {AppContext.BaseDirectory}; run the tests from a checkout.");
    }
}

/// <summary>A folder of a test's own, removed with it.</summary>
sealed class TemporaryFolder : IDisposable
{
    public string FullPath { get; } = Directory.CreateTempSubdirectory("assay-test-").FullName;

    public string File(string name) => Path.Combine(FullPath, name);

    public void Dispose() => Directory.Delete(FullPath, recursive: true);
}
