"""A person signs in through the page, in a real browser."""

from critpath import Context


async def probe(ctx: Context) -> None:
    """Fill the emptied form and wait for what only a signed-in page shows."""
    account = ctx.credentials(ctx.params["identity"])
    async with ctx.page() as page:
        async with ctx.step("open"):
            await page.open("sign_in")
            await page.sees("sign_in_page", otherwise="the sign-in page renders nothing")
        async with ctx.step("fill"):
            await page.fill("username", account["username"])
            await page.fill("password", account["password"])
        async with ctx.step("sign in"):
            await page.click("submit")
            await page.sees("signed_in", otherwise="after signing in, the page shows no signed-in content")
