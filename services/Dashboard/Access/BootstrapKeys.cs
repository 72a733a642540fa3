namespace Assay.Dashboard.Access;

/// <summary>First keys of a system, from the file named by <c>Dashboard__BootstrapKeyFile</c>: lines <c>role name secret</c>.</summary>
static class BootstrapKeys
{
    public static async Task LoadAsync(string path, IKeyStore keys, CancellationToken cancellationToken)
    {
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(path, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Cannot read the first keys from {path}, named by Dashboard__BootstrapKeyFile: {exception.Message}", exception);
        }

        foreach (var (line, number) in lines.Select((line, i) => (line.Trim(), i + 1)).Where(l => l.Item1.Length > 0 && l.Item1[0] != '#'))
        {
            var parts = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length != 3 || !Roles.All.Contains(parts[0], StringComparer.Ordinal))
                throw new InvalidOperationException($"Line {number} of {path} (Dashboard__BootstrapKeyFile) is not 'role name secret' with the role viewer, producer or operator.");
            await keys.EnsureKeyAsync(parts[0], parts[1], parts[2], cancellationToken);
        }
    }
}
