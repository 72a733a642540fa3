using Assay.Embedded.Cli;
using Assay.Embedded.DataDirectories;

namespace Assay.Embedded.Tests.DataDirectories;

public sealed class Taking_a_data_directory
{
    static Task<DataDirectory?> TakeAsync(string path) => DataDirectory.TryTakeAsync(path, "serve", TimeProvider.System, CancellationToken.None);

    [Fact]
    public async Task Should_keep_others_out_until_it_is_given_back()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("data");
        await using (var first = await TakeAsync(path))
        {
            first.ShouldNotBeNull();
            (await TakeAsync(path)).ShouldBeNull();
        }

        await using var second = await TakeAsync(path);
        second.ShouldNotBeNull();
    }

    [Fact]
    public async Task Should_tell_who_holds_it_and_where_it_listens()
    {
        using var folder = new TemporaryFolder();
        await using var taken = await TakeAsync(folder.FullPath);
        (await DataDirectory.ReadOwnerAsync(folder.FullPath, CancellationToken.None))!.Url.ShouldBeNull();
        await taken!.TellAsync("http://127.0.0.1:5080", "serve", CancellationToken.None);
        var owner = (await DataDirectory.ReadOwnerAsync(folder.FullPath, CancellationToken.None))!;
        owner.Url.ShouldBe("http://127.0.0.1:5080");
        owner.ProcessId.ShouldBe(Environment.ProcessId);
        owner.Command.ShouldBe("serve");
    }

    [Fact]
    public async Task Should_keep_one_key_that_only_its_owner_can_read()
    {
        using var folder = new TemporaryFolder();
        string? key;
        await using (var taken = await TakeAsync(folder.FullPath))
        {
            key = await DataDirectory.ReadKeyAsync(folder.FullPath, CancellationToken.None);
            key!.Length.ShouldBeGreaterThan(40);
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(taken!.KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await using var again = await TakeAsync(folder.FullPath);
        (await DataDirectory.ReadKeyAsync(folder.FullPath, CancellationToken.None)).ShouldBe(key);
    }

    [Fact]
    public async Task Should_say_which_setting_to_change_when_it_cannot_be_written()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("occupied"), "a file where the folder should be");
        var error = await Should.ThrowAsync<CommandError>(() => TakeAsync(folder.File("occupied/data")));
        error.ExitCode.ShouldBe(ExitCodes.BadInput);
        error.Text.ShouldContain("occupied");
        error.Text.ShouldContain("--data");
    }

    [Fact]
    public void Should_be_found_relative_to_the_callers_folder()
    {
        DataDirectory.Resolve("mine", "/somewhere").ShouldBe(Path.GetFullPath("/somewhere/mine"));
        DataDirectory.Resolve(null, "/somewhere").ShouldBe(Path.GetFullPath("/somewhere/.assay"));
    }
}
