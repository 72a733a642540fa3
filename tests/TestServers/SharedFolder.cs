namespace Assay.TestServers;

/// <summary>The folder <c>shared</c> beside the repository: recorded answers, the fake provider, benchmarks.</summary>
public static class SharedFolder
{
    /// <summary>The repository's root, found by walking up from the test binary to the solution file.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Whether the folder is there at all; what needs it is counted as skipped where it is not and <c>CI</c> is not true.</summary>
    public static bool Exists => Directory.Exists(Root);

    /// <summary>The full path of a file in the folder; throws with both paths when it is missing.</summary>
    public static string Find(string relativePath)
    {
        var path = Path.GetFullPath(Path.Combine(Root, relativePath));
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"'{relativePath}' was looked for at {path}. Put the shared folder beside the repository, or run './build.sh --target=UnitTest'.", path);
    }

    private static string Root => Path.Combine(RepositoryRoot, "..", "shared");

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Assay.slnx")))
                return directory.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} contains Assay.slnx: the tests run from a build inside the repository.");
    }
}
