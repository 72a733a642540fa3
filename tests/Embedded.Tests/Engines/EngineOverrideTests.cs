using Assay.Embedded.Cli;
using Assay.Embedded.Engines;

namespace Assay.Embedded.Tests.Engines;

public sealed class Overriding_an_engine_on_the_command_line
{
    [Fact]
    public void Should_make_it_scripted() =>
        EngineOverride.Parse("chatgpt=scripted", "/").Settings.ShouldBe(new Dictionary<string, string?>(StringComparer.Ordinal) { ["Engines:chatgpt:Kind"] = "scripted" });

    [Fact]
    public void Should_find_recorded_answers_relative_to_the_callers_folder()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("answers.jsonl"), "");
        var settings = EngineOverride.Parse("recorded=replay:answers.jsonl", folder.FullPath).Settings;
        settings["Engines:recorded:Kind"].ShouldBe("replay");
        settings["Engines:recorded:Path"].ShouldBe(folder.File("answers.jsonl"));
    }

    [Theory]
    [InlineData("chatgpt=openai:gpt-4o-mini@https://api.openai.com/v1", "gpt-4o-mini", "https://api.openai.com/v1")]
    [InlineData("local=openai:org/model@sha256@http://127.0.0.1:11434/v1", "org/model@sha256", "http://127.0.0.1:11434/v1")]
    public void Should_split_model_and_address(string text, string model, string address)
    {
        var parsed = EngineOverride.Parse(text, "/");
        parsed.Settings[$"Engines:{parsed.Name}:Kind"].ShouldBe("openai");
        parsed.Settings[$"Engines:{parsed.Name}:Model"].ShouldBe(model);
        parsed.Settings[$"Engines:{parsed.Name}:BaseUrl"].ShouldBe(address);
    }

    [Theory]
    [InlineData("chatgpt")]
    [InlineData("=scripted")]
    [InlineData("chatgpt=magic")]
    [InlineData("chatgpt=scripted:x")]
    [InlineData("chatgpt=replay:")]
    [InlineData("chatgpt=replay:no-such-file.jsonl")]
    [InlineData("chatgpt=openai:gpt-4o")]
    [InlineData("chatgpt=openai:@https://api.openai.com/v1")]
    [InlineData("chatgpt=openai:gpt-4o@ftp://x")]
    [InlineData("a:b=scripted")]
    public void Should_refuse_what_has_no_meaning(string text)
    {
        var error = Should.Throw<CommandError>(() => EngineOverride.Parse(text, Path.GetTempPath()));
        error.ExitCode.ShouldBe(ExitCodes.BadInput);
        error.Text.ShouldContain(text);
    }
}
