using System.Runtime.CompilerServices;

namespace Assay.Contracts.Tests;

/// <summary>Compares with a file beside the test. A difference means "decide", not "accept": write the CHANGELOG line first, then run with ASSAY_APPROVE=1.</summary>
static class Approval
{
    public static void ShouldBeApprovedAs(this string actual, string file, [CallerFilePath] string testFile = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(testFile)!, "Approved", file);
        if (Environment.GetEnvironmentVariable("ASSAY_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        File.Exists(path).ShouldBeTrue($"No approved {file} yet; run the tests with ASSAY_APPROVE=1 and read what it wrote.");
        actual.ShouldBe(File.ReadAllText(path), $"{file} changed. Contracts only add: decide, write the CHANGELOG line, then run the tests with ASSAY_APPROVE=1.");
    }
}
