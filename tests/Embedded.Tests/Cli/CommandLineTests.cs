using Assay.Embedded.Cli;

namespace Assay.Embedded.Tests.Cli;

public sealed class Calling_the_command_line_wrongly
{
    static async Task<(int ExitCode, string Output, string Error)> RunAsync(string folder, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await AssayCli.RunAsync(arguments, new CliContext(output, error, folder, TimeProvider.System));
        return (exitCode, output.ToString(), error.ToString());
    }

    [Theory]
    [InlineData("--frobnicate", "--frobnicate")]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("audit", "FILE")]
    [InlineData("audit request.json --frobnicate", "--frobnicate")]
    [InlineData("show", "AUDIT_ID")]
    [InlineData("show 17", "'17' is not the id of an audit")]
    [InlineData("retry nonsense", "'nonsense' is not the id of an audit")]
    [InlineData("key create --role emperor --name me", "emperor")]
    [InlineData("key create --role viewer", "--name")]
    [InlineData("audit no-such-file.json", "There is no request file no-such-file.json")]
    [InlineData("quote no-such-file.json", "There is no request file no-such-file.json")]
    [InlineData("audit request.json --engine chatgpt=magic", "'magic' is not an engine")]
    [InlineData("audit request.json --engine chatgpt=replay:none.jsonl", "there is no file")]
    [InlineData("list --url ftp://somewhere", "is not an http(s) address")]
    [InlineData("list --url http://somewhere --data here", "cannot both be given")]
    [InlineData("serve --urls nonsense", "is not an http(s) address")]
    [InlineData("export 7d444840-9dc0-11d1-b245-5ffdce74fad2 --format pdf", "pdf")]
    public async Task Should_answer_with_a_sentence_and_exit_code_2(string line, string expected)
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output, error) = await RunAsync(folder.FullPath, line.Split(' '));
        error.ShouldContain(expected);
        error.ShouldStartWith("assay: ");
        error.ShouldNotContain("   at ");
        output.ShouldBeEmpty();
        exitCode.ShouldBe(ExitCodes.BadInput);
        Directory.Exists(folder.File(".assay")).ShouldBeFalse("nothing is made for a command that cannot run");
    }

    [Fact]
    public async Task Should_refuse_a_data_directory_that_is_a_file()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("occupied"), "");
        var (exitCode, _, error) = await RunAsync(folder.FullPath, "list", "--data", "occupied");
        exitCode.ShouldBe(ExitCodes.BadInput);
        error.ShouldContain("--data");
    }

    [Fact]
    public async Task Should_say_that_a_remote_system_does_not_answer()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, _, error) = await RunAsync(folder.FullPath, "list", "--url", "http://127.0.0.1:1");
        exitCode.ShouldBe(ExitCodes.Failed);
        error.ShouldContain("http://127.0.0.1:1/ does not answer");
    }
}

public sealed class Calling_the_program
{
    [Fact]
    public async Task Should_print_a_request_to_start_from()
    {
        using var folder = new TemporaryFolder();
        var result = await AssayProcess.RunAsync(folder.FullPath, "init");
        result.ExitCode.ShouldBe(0, result.ToString());
        result.Output.ShouldContain("\"ceilingUsd\"");
        result.Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_print_its_version()
    {
        using var folder = new TemporaryFolder();
        var result = await AssayProcess.RunAsync(folder.FullPath, "--version");
        result.ExitCode.ShouldBe(0, result.ToString());
        result.Output.ShouldMatch(@"^\d+\.\d+\.\d+");
    }

    [Fact]
    public async Task Should_look_for_files_in_the_callers_folder()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("request.json"), "[]");
        var result = await AssayProcess.RunAsync(folder.FullPath, "audit", "request.json");
        result.ExitCode.ShouldBe(ExitCodes.BadInput, result.ToString());
        result.Error.ShouldContain("request.json holds a JSON array");
    }
}
