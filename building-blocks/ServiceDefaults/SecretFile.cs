namespace Assay.ServiceDefaults;

/// <summary>Secrets come from the environment or from a file, never from source or a command line.</summary>
public static class SecretFile
{
    /// <summary>The value itself, else the trimmed content of the file, else null.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be read; the message names the setting.</exception>
    public static string? Read(string setting, string? value, string? path)
    {
        if (!string.IsNullOrEmpty(value))
            return value;
        if (string.IsNullOrEmpty(path))
            return null;
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Cannot read the secret of {setting} from the file named by {setting}File: {exception.Message}", exception);
        }
    }
}
